"""The local end of `platform/files.py`: uploads and downloads at signed addresses."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from courtside.kernel.errors import Refusal
from courtside.platform.clock import Clock
from courtside.platform.files import CONTENT_TYPE, LocalFiles, disposition


def files_app(files: LocalFiles, clock: Clock) -> Starlette:
    """`PUT` and `GET /<court>/<sha256>`; whoever has the signed address may use it in its time."""

    async def put(request: Request) -> Response:
        if not _permitted(files, clock, request):
            return _refused()
        size = int(request.query_params["about"])
        data = await _bounded(request, size)
        if data is None or not files.accept(*_place(request), size, data):
            return PlainTextResponse(
                "文件与申请上传的不一致 / not the file that was announced\n",
                HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        return Response(status_code=HTTPStatus.OK)

    async def get(request: Request) -> Response:
        if not _permitted(files, clock, request):
            return _refused()
        court, file_id = _place(request)
        try:
            data = await files.read(court, file_id)
        except Refusal as refusal:
            told = f"{refusal.message('zh')} / {refusal.message('en')}\n"
            return PlainTextResponse(told, HTTPStatus.NOT_FOUND)
        headers = {"Content-Disposition": disposition(request.query_params["about"])}
        return Response(data, media_type=CONTENT_TYPE, headers=headers)

    path = "/{court}/{file_id}"
    return Starlette(routes=[Route(path, put, methods=["PUT"]), Route(path, get, methods=["GET"])])


def _permitted(files: LocalFiles, clock: Clock, request: Request) -> bool:
    query: Mapping[str, str] = request.query_params
    return files.permits(request.method, *_place(request), query, now=clock.now())


def _place(request: Request) -> tuple[str, str]:
    return request.path_params["court"], request.path_params["file_id"]


async def _bounded(request: Request, size: int) -> bytes | None:
    """The body, read no further than one chunk beyond what was announced."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > size:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _refused() -> Response:
    told = "链接无效或已过期 / the address is wrong or has expired\n"
    return PlainTextResponse(told, HTTPStatus.FORBIDDEN)
