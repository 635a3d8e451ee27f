"""The approval of a stage: request, answer, decision, and who may decide (four eyes).

Input: an execution, its approvals and a decision. Output: the changed approval and the event that reports it.
``approval.decidable`` checks a decision and ``approval.decide`` makes it; ``question`` is the text that people read.
"""
