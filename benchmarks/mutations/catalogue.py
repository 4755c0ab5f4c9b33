"""The deliberate bugs: what is written where instead of what, and what that would do to people.

A bug that two layers keep from harm takes both away: one alone would change nothing.
"""

from __future__ import annotations

from benchmarks.mutations.guards import GUARDS
from benchmarks.mutations.mutation import API, AWS, CONTROL, CORE, Edit, Mutation, bug, one

_ALWAYS = " OR attribute_exists(pk) OR attribute_not_exists(pk)"

MUTATIONS = (
    Mutation(
        "no-fence",
        "late steps of a holder that was taken over still take effect",
        (
            Edit(
                f"{AWS}/incident_lease.py",
                '_FENCE = "regions.#region.#token = :mine AND regions.#region.holder = :holder"',
                '_FENCE = "(regions.#region.#token = :mine OR attribute_exists(pk)) '
                'AND (regions.#region.holder = :holder OR attribute_exists(pk))"',
            ),
            Edit(
                f"{AWS}/incident_lease.py",
                "if now.token != claim.token or now.holder != claim.holder:",
                "if now.token < 0:",
            ),
            Edit(
                f"{AWS}/gate.py",
                '"attribute_not_exists(#token) OR #token <= :token"',
                f'"attribute_not_exists(#token) OR #token <= :token{_ALWAYS}"',
            ),
            Edit(
                f"{AWS}/incident_record.py",
                '"(#token <= :mine AND #last <> :this AND size(#steps) < :most)"',
                f'"((#token <= :mine OR #last <> :this{_ALWAYS}) AND size(#steps) < :most)"',
            ),
        ),
        ("health-errors", "region-dark", "write-errors", "workflow-slow"),
    ),
    one(
        "token-not-new",
        "who takes over gets the token of the one before",
        f"{CORE}/control.py",
        "token=control.token + 1,",
        "token=max(1, control.token),",
    ),
    Mutation(
        "lease-never-holds",
        "a Region's incident is taken over while its holder is at work",
        (
            Edit(
                f"{CORE}/control.py",
                "return bool(self.holder) and now_ms < self.lease_until_ms + CLOCK_SKEW_MS",
                "return bool(self.holder) and now_ms < 0",
            ),
        ),
        expected=frozenset({"one-holder"}),
    ),
    one(
        "drain-before-claim",
        "wardens are told under a token that nobody has been granted yet",
        f"{AWS}/gate.py",
        "self.write(warden, claim.region, drained, claim.token, claim.incident, now_ms)",
        "self.write(warden, claim.region, drained, claim.token + 1, claim.incident, now_ms)",
    ),
    Mutation(
        "last-region-too",
        "the last Region that serves is drained like any other",
        (
            Edit(
                f"{AWS}/incident_lease.py",
                "if to == DRAINING and now.state in COUNTED and others < min_serving:",
                "if to == DRAINING and now.state in COUNTED and others < 0:",
            ),
            Edit(
                f"{CORE}/decide.py",
                "if all(findings[r].impaired for r in serving):",
                "if not serving:",
            ),
            Edit(
                f"{CORE}/decide.py",
                "if len(left) < policy.min_serving_regions:",
                "if len(left) < 0:",
            ),
            Edit(f"{CORE}/capacity.py", "if together >= FULL:", "if together >= 0:"),
            Edit(
                f"{CORE}/recheck.py",
                "if len(others) < policy.min_serving_regions:",
                "if len(others) < 0:",
            ),
        ),
        ("bad-deploy",),
    ),
    Mutation(
        "one-witness",
        "one observer's word is enough",
        (
            Edit(f"{CORE}/findings.py", "needed = len(others) // 2 + 1", "needed = 1"),
            Edit(
                f"{CORE}/findings.py",
                "agreed = not lone or own_says or (own is None and not alike)",
                "agreed = True",
            ),
        ),
        ("link-cut", "region-isolated"),
    ),
    bug(
        "stale-votes",
        "what an observer said long ago counts like what it says now",
        (
            Edit(
                f"{CORE}/findings.py",
                "and now_ms - newest[region].at_ms <= policy.vote_max_age_s * 1000",
                "and newest[region].at_ms > 0",
            ),
            Edit(f"{CORE}/findings.py", "        if age_s > limit_s:\n", "        if age_s < 0:\n"),
        ),
        "region-down",
    ),
    one(
        "no-cool-down",
        "a Region that flaps is moved each time",
        f"{CORE}/holds.py",
        "    wait = patience_s(policy, times)\n",
        "    wait = 0.0 * times\n",
        "health-errors",
    ),
    one(
        "pause-ignored",
        "automation goes on under an operator's pause",
        f"{CORE}/control.py",
        "            if pause is not None and pause.in_force(now_ms):\n",
        "            if pause is not None and pause.in_force(now_ms * 2):\n",
        "health-errors region-dark paused-by-operator",
    ),
    Mutation(
        "marks-stay",
        "a Region comes back and its wardens go on saying that it is drained",
        (
            Edit(
                f"{CONTROL}/gate.py",
                "marks = gate.mark(claim, wardens, drain, now, lease.newest_token)",
                "marks = gate.mark(claim, wardens, True, now, lease.newest_token)",
            ),
            Edit(
                f"{CONTROL}/_marks.py",
                "if stands == drained and (not drained or _fresh(seen, now)):",
                "if stands or not drained:",
            ),
        ),
        ("health-errors", "region-dark"),
    ),
    Mutation(
        "switch-stays-shut",
        "a closed incident leaves the Region's switch at Route 53 shut",
        (
            Edit(
                f"{CONTROL}/toggle.py",
                'wanted = SHUT if event["action"] == "drain" else OPEN',
                'wanted = SHUT if event["action"] in ("drain", "restore") else OPEN',
            ),
            Edit(
                f"{CORE}/control.py",
                '        return OPEN if self.toggle and self.state == SERVING else ""\n',
                '        return ""\n',
            ),
        ),
        ("health-errors", "region-dark"),
    ),
    one(
        "switch-left-half-done",
        "a switch that Route 53 would not take is not put right later",
        f"{CORE}/control.py",
        '        if self.holder:\n            return ""\n        if self.state == DRAINED:\n',
        '        if self.epoch >= 0:\n            return ""\n        if self.state == DRAINED:\n',
        "write-errors route53-down",
    ),
    one(
        "nobody-takes-over",
        "what a crashed execution left half done stays so",
        f"{CORE}/decide.py",
        "return decision(TAKE_OVER, held, change, page=late_ms > OVERDUE_MS, alone=alone)",
        "return decision(HOLD, held, change, page=late_ms > OVERDUE_MS, alone=alone)",
        "health-errors region-dark workflow-crash",
    ),
    one(
        "never-put-down",
        "a finished incident stays in its holder's hands",
        f"{CONTROL}/record.py",
        '    if event.get("release"):\n        lease.release(claim, now)\n',
        '    if event.get("releases"):\n        lease.release(claim, now)\n',
        "health-errors region-dark",
    ),
    Mutation(
        "fault-never-healed",
        "a drill's fault stays after the drill",
        (
            Edit(
                f"{CONTROL}/drill.py",
                '    tables[drill["region"]].heal()\n',
                "",
            ),
            Edit(
                f"{CONTROL}/drill.py",
                "int(float(minutes or 0) * 60_000)",
                "int(float(minutes or 0) * 60_000_000)",
            ),
        ),
        ("started-by-hand",),
    ),
    one(
        "acknowledged-before-stored",
        "a client is told that a message is stored which is not",
        f"{API}/accept.py",
        "    held = messages.put_if_new(message)\n",
        "    try:\n        held = messages.put_if_new(message)\n"
        "    except SidestepError:\n        held = None\n",
        "write-errors table-throttled",
    ),
    one(
        "stored-twice",
        "a retry with the same key writes the message over",
        f"{AWS}/messages.py",
        '                    ConditionExpression="attribute_not_exists(pk)",\n'
        '                    ReturnValuesOnConditionCheckFailure="ALL_OLD",\n',
        "",
        "lambda-lost lambda-killed",
    ),
    Mutation(
        "repair-overwrites",
        "a repair writes over what is there",
        (
            Edit(
                f"{AWS}/write_ledger.py",
                'ConditionExpression="attribute_not_exists(pk)"',
                'ConditionExpression="attribute_not_exists(pk) OR attribute_exists(pk)"',
            ),
            Edit(
                f"{AWS}/write_ledger.py",
                "                held[message.id] = message\n",
                "                held.pop(message.id, None)\n",
            ),
        ),
        ("health-errors", "region-dark"),
    ),
    *GUARDS,
)
"""docs/simulation.md has by which seed each is caught."""
