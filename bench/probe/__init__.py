"""The probe: it runs inside the processes of the stack and writes down what each has used."""
