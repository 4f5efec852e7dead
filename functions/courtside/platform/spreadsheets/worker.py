"""The child process in which foreign files are parsed: bounded in memory and processor time.

A parser that is led astray by a crafted file ends here and nowhere else. One request on standard
input, one answer on standard output (`wire.py` has their form), then the process ends.
"""

import resource
import sys
import warnings

from courtside.kernel.sheets import SheetProblem, UnreadableSheet
from courtside.platform.spreadsheets import annotating, tables, templates, wire

MAX_MEMORY = 512 * 1024 * 1024  # address space; a menu of 300 rows takes 90 MB of it
MAX_SECONDS = 20  # of processor time


def main() -> None:
    """Answer the request on standard input. Running out of memory is an answer, too."""
    _bound()
    warnings.simplefilter("ignore")  # openpyxl's, about features that it does not keep
    request = wire.unpack_request(sys.stdin.buffer.read())
    try:
        answer = wire.pack_answer(_answer(request))
    except UnreadableSheet as refusal:
        answer = wire.pack_problem(refusal.problem)
    except MemoryError:
        answer = wire.pack_problem(SheetProblem.TOO_MANY_CELLS)
    sys.stdout.buffer.write(answer)


def _bound() -> None:
    for limit, value in ((resource.RLIMIT_AS, MAX_MEMORY), (resource.RLIMIT_CPU, MAX_SECONDS)):
        hard = resource.getrlimit(limit)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(request: wire.Request) -> bytes:
    match request:
        case wire.ReadRequest(data=data):
            return wire.pack_sheets(tables.read(data))
        case wire.AnnotateRequest(data=data, errors=errors):
            return annotating.annotate(data, errors)
        case wire.TemplateRequest(template=template):
            return templates.build(template)


if __name__ == "__main__":
    main()
