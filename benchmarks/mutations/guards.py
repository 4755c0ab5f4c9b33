"""Bugs that each take one guard away: of the ledger, the gate, the toggle, a look, a return."""

from __future__ import annotations

from benchmarks.mutations.mutation import AWS, CONTROL, CORE, Edit, bug, one

GUARDS = (
    one(
        "ledger-forgets",
        "a ledger says that it has entered a write, and has not",
        f"{AWS}/regional.py",
        "        entry = to_attributes(\n",
        "        if seen_at:\n            return True\n        entry = to_attributes(\n",
        "health-errors region-dark",
        "ledger-complete",
    ),
    one(
        "unsent-dropped",
        "an event that the bus did not take is not kept to be emitted again",
        f"{AWS}/bus.py",
        "            self._sqs.send_message(QueueUrl=self._url, MessageBody=body)",
        "            len(body)",
        "bus-down",
        "ledger-complete",
    ),
    one(
        "key-reuse-answered",
        "another body under a used key is answered as if it were stored",
        "functions/sidestep/api/accept.py",
        "    if held is not None and held.digest != message.digest:\n",
        "    if held is not None and not held.digest:\n",
        "health-errors region-dark",
        "ledger-complete nothing-lost",
    ),
    one(
        "repair-does-nothing",
        "a repair counts the writes at risk as put back and puts none",
        f"{CONTROL}/repair.py",
        "        done = compared.put_back(region, message, now)",
        "        done = now > 0",
        "health-errors region-down region-dark replication-paused",
        "record-tells",
    ),
    bug(
        "gate-marks-nothing",
        "a drain by the gate succeeds and no warden has been told",
        (
            Edit(
                f"{AWS}/gate.py",
                "                self.write(warden, claim.region, drained, claim.token, "
                "claim.incident, now_ms)\n",
                "",
            ),
            Edit(
                f"{CONTROL}/_marks.py",
                "        return marks.gate.correct(warden, seen, wanted)",
                "        return wanted.token >= 0",
            ),
        ),
        "health-errors region-dark route53-down",
    ),
    bug(
        "toggle-without-version",
        "a holder that was fenced off still sets the Region's switch at Route 53",
        (
            Edit(f"{AWS}/toggle.py", "            prove_lease()\n", ""),
            Edit(f"{AWS}/toggle.py", "                        HealthCheckVersion=version,\n", ""),
        ),
        "health-errors region-dark workflow-slow lambda-killed",
        "fenced",
    ),
    one(
        "no-recheck",
        "a failover drains though what it was started for is over, or an order forbids it",
        f"{CORE}/recheck.py",
        "        return Recheck(go, why, finding.diagnosis, (why, *finding.reasons), change)",
        "        return Recheck(True, why, finding.diagnosis, (why, *finding.reasons), change)",
        "health-errors workflow-slow",
        "harmed-only order-kept never-the-last",
    ),
    bug(
        "blind-observer-counts",
        "an observer that is cut off itself is believed about the others",
        (
            Edit(
                f"{CORE}/votes.py",
                "    if not own_table_works:\n",
                "    if not own_table_works and not observer:\n",
            ),
            Edit(
                f"{CORE}/votes.py",
                "    if len(peers) > 1 and not any(probe.reached for probe in looked):\n",
                "    if len(peers) < 0:\n",
            ),
        ),
        "link-cut",
        "harmed-only",
    ),
    one(
        "no-probation",
        "a Region that fails again just after its return is taken to be well",
        f"{CONTROL}/stability.py",
        '        healthy = min(healthy, (now - int(event["since"])) / 1000)\n',
        '        return {"stable": True, "bad": False, "healthy_for_s": 0.0, "why": why}\n',
        "health-errors write-errors bad-deploy",
        "probation-kept",
    ),
    bug(
        "no-stability-window",
        "a Region is brought back as soon as nothing bad is seen of it",
        (
            Edit(
                f"{CONTROL}/stability.py",
                'healthy >= float(event["window_s"]) and not finding.impaired',
                'healthy >= float(event["window_s"] if event.get("since") is not None else 0) '
                "and not finding.impaired",
            ),
            Edit(
                f"{CORE}/decide.py",
                "    if well.healthy_s < policy.stability_window_s:\n",
                "    if well.healthy_s < 0:\n",
            ),
        ),
        "health-errors write-errors bad-deploy",
        "returns-well",
    ),
    one(
        "return-without-catching-up",
        "a Region is brought back before its replica has what was written meanwhile",
        f"{CONTROL}/replication.py",
        '    if event.get("both"):\n',
        '    if event.get("both"):\n        return asdict(CaughtUp(True, 0, "not looked at"))\n'
        '    if event.get("both"):\n',
        "health-errors bad-deploy replication-paused",
        "caught-up",
    ),
    one(
        "void-order-obeyed",
        "a redriven execution moves a Region that others have worked on since",
        f"{CORE}/control.py",
        "    if ordered_ms is not None and now.since_ms + CLOCK_SKEW_MS > ordered_ms:\n",
        "    if ordered_ms is not None and now.since_ms + CLOCK_SKEW_MS > 2 * ordered_ms:\n",
        "started-by-hand workflow-crash redriven-by-hand",
        "void-order",
    ),
    one(
        "two-drills",
        "a drill begins while another Region's drill is at work",
        f"{CONTROL}/drill.py",
        "        if fault is not None and fault.until > now:\n",
        "        if fault is not None and fault.until > 2 * now:\n",
        "started-by-hand",
        "one-drill",
    ),
    one(
        "looks-in-a-moment-count",
        "two looks at the same moment count as two bad looks in a row",
        f"{CORE}/votes.py",
        "APART_MS = 5000\n",
        "APART_MS = 0\n",
        "health-errors duplicates",
        "not-by-a-blip",
    ),
    one(
        "own-region-holds",
        "a failover may run in the Region that is being left, and die with it",
        f"{CONTROL}/vote.py",
        "    return one.by_own if own else believed\n",
        "    return believed or (own and one.by_own)\n",
        "health-errors bad-deploy",
        "from-outside",
    ),
    one(
        "lag-is-bad",
        "late replication from a Region speaks for draining it",
        f"{CORE}/evidence.py",
        "None if late else False, words + limit)",
        "late, words + limit)",
        "replication-paused replication-slow",
        "harmed-only",
    ),
    one(
        "told-before-claimed",
        "wardens are told of a drain before the control item allows it",
        f"{CONTROL}/gate.py",
        "    if drain:\n"
        '        _parts.let_out(lease, policy, claim, now, event.get("checked_ms"))\n'
        "    else:\n"
        "        lease.advance(claim, RESTORING, now)\n"
        "    wardens = wardens_of(claim.region, settings.regions)\n"
        "    marks = gate.mark(claim, wardens, drain, now, lease.newest_token)\n",
        "    wardens = wardens_of(claim.region, settings.regions)\n"
        "    marks = gate.mark(claim, wardens, drain, now, lease.newest_token)\n"
        "    if drain:\n"
        '        _parts.let_out(lease, policy, claim, now, event.get("checked_ms"))\n'
        "    else:\n"
        "        lease.advance(claim, RESTORING, now)\n",
        "started-by-hand health-errors bad-deploy",
        "out-first",
    ),
    one(
        "silence-tells",
        "a Region's silence is taken for a sign though well Regions are silent, too",
        f"{CORE}/findings.py",
        "(own is None and not alike)",
        "own is None",
        "link-cut workflow-slow",
        "harmed-only",
    ),
    one(
        "old-check",
        "a failover drains on what it had found when it checked long ago",
        f"{CONTROL}/_parts.py",
        "        if now - checked_ms > CHECK_HOLDS_MS:\n",
        "        if checked_ms < 0:\n",
        "",
        "harmed-only",
    ),
)
"""Each guard has tests of its own, too (docs/trust.md, docs/policy.md)."""
