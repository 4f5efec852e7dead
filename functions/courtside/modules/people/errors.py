"""Refusals of the people module; none of them names a person."""

from courtside.kernel.actor import Role
from courtside.kernel.errors import Path, Refusal, Text

COURT = Text(zh="法院", en="court")
UNIT = Text(zh="部门", en="unit")
PERSON = Text(zh="人员", en="person")


class CourtExists(Refusal):
    code = "COURT_EXISTS"
    text = Text(zh="法院代码已被使用。", en="A court of that code exists already.")


class StaffNumberTaken(Refusal):
    code = "STAFF_NUMBER_TAKEN"
    text = Text(
        zh="该工号已登记给本院人员。", en="Somebody of this court has that staff number already."
    )

    def __init__(self, *, path: Path = ("input", "staffNo")) -> None:
        super().__init__(path=path)


class PersonExists(Refusal):
    """The identity (issuer and subject) already belongs to a person of this court."""

    code = "PERSON_EXISTS"
    text = Text(
        zh="该登录身份已登记为本院人员。", en="That sign-in already belongs to a person here."
    )

    def __init__(self, *, path: Path = ("input", "subject")) -> None:
        super().__init__(path=path)


class PersonHasLeft(Refusal):
    code = "PERSON_HAS_LEFT"
    text = Text(zh="该人员已离院。", en="This person has left the court.")

    def __init__(self, *, path: Path = ("input", "personId")) -> None:
        super().__init__(path=path)


class OwnRoles(Refusal):
    """Nobody grants a role to himself: granting and holding are different people's."""

    code = "OWN_ROLES"
    text = Text(zh="不能给自己授权,请由另一位管理员办理。", en="Nobody grants a role to himself.")
    audited = True

    def __init__(self, *, path: Path = ("input", "personId")) -> None:
        super().__init__(path=path)


class RoleNotGrantable(Refusal):
    """MEMBER comes with being active, SYSTEM belongs to no person."""

    code = "ROLE_NOT_GRANTABLE"
    text = Text(zh="角色 {role} 不能授予。", en="The role {role} cannot be granted.")

    def __init__(self, *, role: Role) -> None:
        super().__init__(path=("input", "role"))
        self.role = role.value


class RoleNotHeld(Refusal):
    code = "ROLE_NOT_HELD"
    text = Text(
        zh="该人员在此范围内没有角色 {role}。", en="This person does not hold {role} there."
    )

    def __init__(self, *, role: Role) -> None:
        super().__init__(path=("input", "role"))
        self.role = role.value


class LastAdministrator(Refusal):
    """A court always keeps one administrator whose grant has no end."""

    code = "LAST_ADMINISTRATOR"
    text = Text(
        zh="这是本院最后一位长期管理员,请先授权另一位。",
        en="The court's last lasting administrator: grant the role to somebody else first.",
    )
    audited = True

    def __init__(self, *, path: Path = ("input", "personId")) -> None:
        super().__init__(path=path)
