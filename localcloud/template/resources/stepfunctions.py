"""State machines: moto keeps them, the local cloud's interpreter runs them."""

from __future__ import annotations

import json
import re

from localcloud.compute.stepfunctions import machine_arn
from localcloud.template.errors import TemplateError
from localcloud.template.kinds import Built, Deployment, Properties, builds
from localcloud.template.resources.iam import check_trust
from localcloud.template.stack import Machine


@builds(
    "AWS::StepFunctions::StateMachine",
    "StateMachineName StateMachineType DefinitionString DefinitionSubstitutions RoleArn",
    {"LoggingConfiguration TracingConfiguration": "histories are complete; there are no traces"},
)
def _machine(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("StateMachineName") or d.generated(logical, 80)
    kind, role = p.get("StateMachineType", "STANDARD"), p["RoleArn"]
    arn = machine_arn(d.stack.region, name)
    check_trust(role, "states.amazonaws.com", logical, arn)
    given = p.get("DefinitionSubstitutions", {})

    def substitute(found: re.Match[str]) -> str:
        if found[1] not in given:
            raise TemplateError(
                f"{logical}: nothing is given for ${{{found[1]}}} in its definition"
            )
        return json.dumps(str(given[found[1]]))[1:-1]

    definition = re.sub(r"\$\{(\w+)\}", substitute, p["DefinitionString"])
    d.client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=role, type=kind
    )
    d.stack.machines.append(Machine(arn, name, role, definition, kind == "EXPRESS"))
    return arn, {"Arn": arn, "Name": name}
