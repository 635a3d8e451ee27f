"""The bad inputs of test_bad_inputs.py, by call; and what each call accepts."""

from typing import Any

from tests.integration.world import COMPONENT, NEW, OLD, TENANT

UPGRADES = f"/tenants/{TENANT}/upgrades"
VERSIONS = f"/components/{COMPONENT}/versions"
DEPLOYMENT = f"/tenants/{TENANT}/components/{COMPONENT}/deployment"
BACKUPS = f"/tenants/{TENANT}/components/{COMPONENT}/backups"
STATUS = f"/versions/{OLD}/status"
COMPATIBILITY = f"/versions/{NEW}/check-compatibility"
JSON = {"Content-Type": "application/json"}

GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", UPGRADES): {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW},
    ("POST", "/components"): {"name": "new"},
    ("POST", VERSIONS): {"version": "9.9.9"},
    ("PUT", STATUS): {"status": "STABLE"},
    ("POST", "/upgrade-paths"): {"componentId": COMPONENT, "fromVersionId": NEW, "toVersionId": OLD},
    ("PUT", DEPLOYMENT): {"driver": "agent", "connId": "other", "fleet": "other", "currentVersionId": NEW},
    ("POST", BACKUPS): {
        "versionId": OLD,
        "location": "file:///b",
        "sizeBytes": 1,
        "sha256": "0" * 64,
        "createdAt": "2026-01-31T12:00:00Z",
    },
    ("POST", COMPATIBILITY): {},
    ("POST", "/deployments/fencing"): {"connId": "other", "fleet": "other", "atLeast": 1},
}
"What each call accepts: a bad input differs from it in one field."

_SQL, _TEMPLATE, _SCRIPT = "'; DROP TABLE execution; --", "{{ 7*7 }}${7*7}#{7*7}", "<script>alert(1)</script>"
_PATHS = ("../../etc/passwd", "..%2f..%2fetc", "a/b", "a\\b", ".hidden", "~root")
_NO_IDS = (_SQL, _TEMPLATE, _SCRIPT, *_PATHS, "", " ", "a b", "x" * 65, "é", "\u202eabc", "a\n", "a\x00b", "😀", "%00")
_NO_NUMBERS = (None, True, "5", 5.5, [5], {"a": 5}, 0, -1, 10**400, 2**63, -(2**63), 1e308)
_NO_TEXTS: tuple[Any, ...] = (1, 1.5, True, [], {}, ["a"])

FIELDS: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = {
    ("POST", UPGRADES): {
        "componentId": (*_NO_IDS, None, 1, [], {}),
        "fromVersionId": (_SQL, "", None, 0, "x" * 1000),
        "toVersionId": (OLD, _TEMPLATE, None, False),
        "strategy": ("rolling", "ALL", "", None, 1, ["ROLLING"], _SQL, "ROLLING "),
        "canaryPercentage": (*_NO_NUMBERS, 101),
        "batchSize": (*_NO_NUMBERS, 1001),
        "batchDelaySeconds": (-1, 86401, "60", None, 0.5, 10**400),
        "healthCheckIntervalSeconds": (0, 3601, "30", None),
        "healthCheckTimeoutSeconds": (0, 86401, [], None),
        "maxUnavailablePercentage": (*_NO_NUMBERS, 101),
        "totalInstances": (*_NO_NUMBERS, 10001),
        "autoRollbackEnabled": (None, "true", "yes", 1, 0, [], {}),
        "failureThreshold": (0, 10001, "3", None, -(10**400)),
        "initiatedBy": (*_NO_TEXTS, "x" * 256, "a\x00b"),
        "installedComponents": ([], "kafka", 1, {"": "1"}, {"a": None}, {"a": 1}, {"a": ""}, {"a\x00": "1"}),
        "soakSeconds": (-1, 86401, "0", None),
        "stagePercentages": ([], [0, 100], [50], [100, 50], [50, 50, 100], ["50", 100], "100", [101], [50.5, 100]),
        "batchSise": (5,),
        "__proto__": ({},),
        "status": ("COMPLETED",),
        "createdBy": ("root",),
    },
    ("POST", "/components"): {
        "name": (None, "", "x" * 256, "a\x00b", *_NO_TEXTS),
        "id": ("", *_PATHS, "x" * 65, 1),
        "description": ("x" * 10_001, "\x00", 1, []),
        "$where": ("1",),
    },
    ("POST", VERSIONS): {
        "version": (None, "", "x" * 129, " 3.6.0", "3.6.0\n", "3.6\u200b", 3, 3.7),
        "status": ("stable", None, 1, "BETA"),
        "releaseDate": ("2026-02-30", "31.01.2026", "2026-01-31T00:00:00Z", 20260131, "0000-00-00", "٢٠٢٦-٠١-٣١"),
        "recommended": ("true", 1, None),
        "dependencies": ([], {"a": ""}, {"a": 1}, {"a": ">=x"}, {"": "1"}, None),
        "minPlatformVersion": ("latest", 3, ""),
    },
    ("PUT", STATUS): {
        "status": (None, "", "stable", "DELETED", 1, []),
        "endOfLifeDate": ("tomorrow", 1, "9999-99-99"),
    },
    ("POST", "/upgrade-paths"): {
        "toVersionId": (NEW, None, _SQL),
        "riskLevel": ("low", "NONE", 1),
        "estimatedDurationMinutes": (0, -1, 525_601, "20", 1.5),
        "blockers": ("text", [1], [None], ["x" * 10_001], ["a"] * 201, {}),
        "upgradeSteps": ("text", [[]], [{"run": "rm -rf /"}]),
        "tested": ("no", 0, None),
    },
    ("PUT", DEPLOYMENT): {
        "driver": ("ssh", "", None, 1, _SQL),
        "connId": ("", "a b", "http://elsewhere", None, "x" * 251),
        "fleet": ("", "../other", "a/b", "a?b=c", None, "x" * 256),
        "currentVersionId": (None, "", "../x"),
        "url": ("http://169.254.169.254/",),
    },
    ("POST", BACKUPS): {
        "versionId": (None, "", "a/b"),
        "location": (None, "", "/etc/passwd", "file:///a\x00b", "s3:// a", "no scheme", "x" * 3000),
        "sizeBytes": (None, -1, "1", 1.5, 2**63, 10**400),
        "sha256": (None, "", "0" * 63, "g" * 64, "0" * 65, 0),
        "createdAt": (None, "", "yesterday", "2026-01-31", "2026-01-31T12:00:00", 1700000000, "2026-13-01T00:00:00Z"),
    },
    ("POST", "/deployments/fencing"): {
        "connId": ("", "a b", "http://elsewhere", None, "x" * 251),
        "fleet": ("", "../other", "a/b", None, "x" * 256),
        "atLeast": (*_NO_NUMBERS, 2**62 + 1),
        "token": (1,),
    },
    ("POST", COMPATIBILITY): {
        "installedComponents": ([], {"a": 1}, "x"),
        "platformVersion": ("", "latest", 3),
        "fromVersionId": ("", "a/b", 1),
        "strategy": ("rolling", 1),
    },
}

WHOLE: tuple[tuple[str, bytes, int], ...] = (
    ("nothing", b"", 400),
    ("blanks", b"   \n", 400),
    ("half an object", b'{"name":', 400),
    ("a trailing comma", b'{"name": "a",}', 400),
    ("a comment", b'{"name": "a" /* b */}', 400),
    ("single quotes", b"{'name': 'a'}", 400),
    ("two values", b'{"name": "a"}{"name": "b"}', 400),
    ("an encoding that is none", b'{"name": "\xff\xfe"}', 400),
    ("UTF-16", '{"name": "a"}'.encode("utf-16"), 400),
    ("a byte order mark", b'\xef\xbb\xbf{"name": "a"}', 400),
    ("half a surrogate", b'{"name": "\\ud800"}', 400),
    ("a control character", b'{"name": "a\nb"}', 400),
    ("lists in lists", b"[" * 100_000 + b"]" * 100_000, 400),
    ("objects in objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    ("XML", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 400),
    ("YAML", b"name: !!python/object/apply:os.system ['id']", 400),
    ("a form", b"name=a&name=b", 400),
    ("null", b"null", 422),
    ("a list", b"[]", 422),
    ("a text", b'"name"', 422),
    ("a number", b"1e999", 422),
    ("true", b"true", 422),
    ("a list of one", b'[{"name": "a"}]', 422),
)
TWICE = (b'{"name": "a", "name": "a"}', b'{"name": "a", "na\\u006de": "b"}', b'{"name": "a", "name": null}')
NO_NUMBERS_OF_JSON = (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"0x10", b"01", b"+1", b"1_000", b".5")
PARAMETERS: tuple[tuple[str, str, str], ...] = (
    *((UPGRADES, "limit", value) for value in ("0", "-1", "201", "1e2", "ten", "", "9" * 400, "1;--", "NaN", "٣")),
    *((UPGRADES, "status", value) for value in ("pending", "", "PENDING' OR '1'='1", "PENDING,FAILED")),
    *((UPGRADES, "since", value) for value in ("", "now", "1700000000", "2026-01-31", "2026-01-31T12:00:00 00:00")),
    *((UPGRADES, "componentId", value) for value in ("", "a b", "../x", "a\x00", "x" * 65)),
    *((UPGRADES, "cursor", value) for value in ("", "x", "W10", "bnVsbA", "e30", "WyIxIl0", "x" * 513, "%", "\x00")),
    *((UPGRADES, name, "1") for name in ("offset", "Limit", "limit[]", "order_by", "$where")),
    ("/components", "cursor", "WzFd"),
    ("/components", "limit", "0"),
    ("/upgrade-paths", "componentId", "a/b"),
    ("/upgrade-paths/calculate", "componentId", "a/b"),
)
NOT_THERE = (
    *(f"/upgrades/{each}" for each in ("%2e%2e%2f", "a%2fb", "a%00b", "-x", "x" * 65, "%F0%9F%98%80")),
    *(f"/upgrades/{each}/plan" for each in ("'%20OR%201=1--", "%7B%7B7*7%7D%7D", "%3Cscript%3E", "a;b", "..;")),
    *(f"/tenants/{each}/upgrades" for each in ("a%20b", "%25", "a%09b", "a..%5c")),
    "/upgrades//plan",
    "/upgrades/x/instances/..%2f..",
    "/components/a%2f..%2fb/versions",
)
COMMANDS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("pause", {"reason": ""}, "reason"),
    ("pause", {"reason": "x" * 1001}, "reason"),
    ("cancel", {"reason": "a\x00b"}, "reason"),
    ("rollback", {"reson": "typo"}, "reson"),
    ("promote-canary", {"force": "yes"}, "force"),
    ("promote-canary", {"force": "True"}, "force"),
    ("start", {"force": "true"}, "force"),
)
