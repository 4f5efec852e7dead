"""Refusals: what a use case answers when it may not or cannot do what was asked.

A refusal is an expected outcome and reaches the caller as a payload error with a stable code,
typed facts and a sentence in the caller's language. Anything else that goes wrong is a fault and
is masked.
"""

from typing import Any, ClassVar, Literal, NamedTuple

Language = Literal["zh", "en"]
Path = tuple[str | int, ...]


class Text(NamedTuple):
    """One sentence in both languages; `{name}` stands for a public attribute of the refusal."""

    zh: str
    en: str


class Refusal(Exception):
    """Base of all refusals. A subclass sets `code` and `text`, and takes its facts by keyword.

    `audited` refusals (permission, money, assets, minors, appraisal) leave a journal entry of their
    own; all others are one coded log line.
    """

    code: ClassVar[str]
    text: ClassVar[Text]
    audited: ClassVar[bool] = False

    def __init__(self, *, path: Path = ()) -> None:
        super().__init__(self.code)
        self.path = path

    def message(self, language: Language) -> str:
        """The sentence for the caller, with this refusal's facts filled in."""
        sentence = self.text.zh if language == "zh" else self.text.en
        return sentence.format_map(self.facts())

    def facts(self) -> dict[str, Any]:
        """The refusal's own facts by name, without its path."""
        return {name: value for name, value in vars(self).items() if name != "path"}


class NotSignedIn(Refusal):
    code = "NOT_SIGNED_IN"
    text = Text(zh="请先登录。", en="Sign in first.")


class NotPermitted(Refusal):
    code = "NOT_PERMITTED"
    text = Text(zh="您没有办理此事的权限。", en="You are not permitted to do this.")
    audited = True

    def __init__(self, *, operation: str, path: Path = ()) -> None:
        super().__init__(path=path)
        self.operation = operation


class StepUpRequired(Refusal):
    """The person holds the role, but signed in with too little: a second factor is asked for."""

    code = "STEP_UP_REQUIRED"
    text = Text(zh="此事须以双因素认证登录后办理。", en="Sign in with a second factor to do this.")
    audited = True

    def __init__(self, *, operation: str, path: Path = ()) -> None:
        super().__init__(path=path)
        self.operation = operation


class NotFound(Refusal):
    """Nothing of that id in the caller's court, or nothing that the caller may see."""

    code = "NOT_FOUND"
    text = Text(zh="没有找到{kind_zh}。", en="No such {kind_en}.")

    def __init__(self, *, kind: Text, path: Path = ()) -> None:
        super().__init__(path=path)
        self.kind_zh, self.kind_en = kind


class InvalidInput(Refusal):
    """A field whose value cannot be used; `path` names it."""

    code = "INVALID_INPUT"
    text = Text(zh="“{field}”填写有误:{reason_zh}", en="“{field}” cannot be used: {reason_en}")

    def __init__(self, *, field: str, reason: Text, path: Path = ()) -> None:
        super().__init__(path=path or ("input", field))
        self.field = field
        self.reason_zh, self.reason_en = reason


class IdempotencyMismatch(Refusal):
    code = "IDEMPOTENCY_MISMATCH"
    text = Text(
        zh="这个 idempotencyKey 已用于另一次内容不同的提交。",
        en="This idempotencyKey was already used for a different request.",
    )

    def __init__(self, *, path: Path = ("input", "idempotencyKey")) -> None:
        super().__init__(path=path)


class VersionConflict(Refusal):
    """Somebody else changed the object since the caller read it; `current` is its version now."""

    code = "VERSION_CONFLICT"
    text = Text(
        zh="内容已被他人更新(当前版本 {current}),请刷新后重试。",
        en="Changed by somebody else meanwhile (now version {current}). Reload and try again.",
    )

    def __init__(self, *, current: int, path: Path = ("input", "expectedVersion")) -> None:
        super().__init__(path=path)
        self.current = current


class Stale(Exception):
    """What a decision was made on has moved; the use case loads and decides again."""


class Busy(Exception):
    """The deadline passed before the write could be settled; the same request may be sent again."""
