"""How a release reaches those who use it."""

from infra.rules.expanded import Template
from infra.rules.reading import Told, attributes_of, function_of, resources

LEAST_ALARMS = 2


def releases_prove_themselves(template: Template) -> Told:
    """A release that fails everybody at once is not turned back in time. Each function but the
    checking one moves minute by minute, after the check, and back on its alarms."""
    aliases = resources(template, "AWS::Lambda::Alias")
    released = {function_of(template, name): alias for name, alias in aliases}
    for name, function in resources(template, "AWS::Lambda::Function"):
        if "pre_traffic" in function["Properties"]["Handler"]:
            continue
        update = released.get(name, {}).get("UpdatePolicy", {})
        if "BeforeAllowTrafficHook" not in update.get("CodeDeployLambdaAliasUpdate", {}):
            yield name, "is released without a check"
    for name, group in resources(template, "AWS::CodeDeploy::DeploymentGroup"):
        properties = group["Properties"]
        if "Linear" not in str(properties["DeploymentConfigName"]):
            yield name, "moves all its traffic at once"
        if len(attributes_of(properties.get("AlarmConfiguration", {}))) < LEAST_ALARMS:
            yield name, "is turned back by less than two alarms"
