"""One message with files, from the way in to the exit code: `veche send`.

Source: rows M48, X18.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from veche.client import Client, ClientEnded, LinkLost, RequestFailed
from veche.client.files import Progress, upload
from veche.core.files import clean_name
from veche.packets.message import HistoryGet, MessageSend, MessageSent

from . import file_words
from .entrance import enter
from .people_commands import Wrong
from .text import harmless
from .transfer import MAX_FILES, readable_size
from .wish import EXIT_NO_LINK, EXIT_REFUSED, EXIT_USAGE, Asker, Leave, Wish, why

Show = Callable[[str], None]
"""Is given how it goes, a line that the next one replaces; "": take it away."""


async def send_once(
    wish: Wish, asker: Asker | None, say: Callable[[str], None], to: str, paths: Sequence[Path], text: str, show: Show
) -> MessageSent:
    """Log in, upload, send, log out; return what the server says of the message.  Raises Leave."""
    try:
        for path in paths:
            readable_size(path)
    except Wrong as error:
        raise Leave(EXIT_REFUSED, f"{error} Nothing was sent.") from None
    if len(paths) > MAX_FILES:
        raise Leave(EXIT_USAGE, f"A message takes at most {MAX_FILES} files.")
    entered = await enter(wish, asker, say, everything=False)
    try:
        return await _sent(entered.client, to, paths, text, show)
    except LinkLost as error:
        raise Leave(EXIT_NO_LINK, f"{error} The same command goes on where it stopped.") from None
    except OSError as error:
        raise Leave(EXIT_REFUSED, f"{error.filename}: {error.strerror}. Nothing was sent.") from None
    except (RequestFailed, ClientEnded) as error:
        raise why(error, wish) or Leave(EXIT_REFUSED, str(error)) from None
    finally:
        show("")
        await entered.client.close(handled=False)
        entered.slot.release()


async def _sent(client: Client, to: str, paths: Sequence[Path], text: str, show: Show) -> MessageSent:
    await client.request(HistoryGet(peer=to, limit=1))  # nobody uploads a gigabyte to a name that is mistyped
    found: list[str] = []
    for path in paths:
        name = clean_name(path.name)

        def tell(progress: Progress, name: str = name) -> None:
            show(f"{harmless(name)}  {file_words.course(progress)}")

        found.append((await upload(client, path, name=name, progress=tell)).id)
    return await client.request(MessageSend(to=to, text=text, files=found))
