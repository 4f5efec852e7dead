"""Refusals of the audit module."""

from courtside.kernel.errors import Refusal, Text


class OneSubject(Refusal):
    """A search names the person who acted or the object acted on, not both and not neither."""

    code = "ONE_SUBJECT"
    text = Text(
        zh="请指定操作人或被操作的对象,二者择一。",
        en="Name either the person who acted or the object, one of the two.",
    )
