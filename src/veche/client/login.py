"""Choosing how to log in, and the client's end of the dialogue.

In this order: by the device's resumption token, by access token, by password.  A password is proved by
SCRAM-SHA-256-PLUS when the server offers it and there is a certificate to bind to, else by SCRAM-SHA-256; and a server
that cannot prove that it knows the password's verifier is not the one that it claims to be.

Source: rows A11, M04-M09, X03; RFC 5802, RFC 7677.
"""

from __future__ import annotations

from collections.abc import Callable

from veche.core.scram import SCRAM, SCRAM_PLUS, ClientScram, SaltedKeys, ScramFailed
from veche.packets import ErrorCode
from veche.packets.account import Connect, ConnectAck, ConnectOk
from veche.packets.link import ServerHello

from .events import Challenged, Credentials, NotAPacket, Place

NO_SUCH_SESSION = frozenset(
    {
        ErrorCode.WRONG_CREDENTIALS,
        ErrorCode.REVOKED,
        ErrorCode.UNKNOWN_ID,
        ErrorCode.UNKNOWN_MECHANISM,
        ErrorCode.BAD_REQUEST,
    }
)
"""The resumption token is worth nothing any more."""


class Login:
    """All the logins of one run.  client: our name for the server.  nonce: gives a new one for each login.

    may_resume: the resumption token may be shown to the server (its certificate is trusted).
    """

    def __init__(self, client: str, nonce: Callable[[], str], *, may_resume: bool) -> None:
        self.credentials: Credentials | None = None
        self.device: str | None = None
        self.resume: str | None = None
        self._client, self._nonce, self._may_resume = client, nonce, may_resume
        self._keys = SaltedKeys()
        self._scram: ClientScram | None = None
        self._is_resuming = False

    def take(self, credentials: Credentials) -> None:
        """Log in with these from now on."""
        if self.credentials is None or credentials.password != self.credentials.password:
            self._keys = SaltedKeys()
        self.credentials = credentials

    def start(self, hello: ServerHello, binding: bytes | None, cursor: int) -> Connect:
        """The first packet of a login.  Raises NotAPacket when there is nothing to log in with."""
        credentials = self.credentials or Credentials()
        login, device, client = credentials.login, self.device, self._client
        self._scram = None
        self._is_resuming = self._may_resume and self.resume is not None
        if self._is_resuming:
            # only a server that knows this session can know what our cursor means
            return Connect(
                mechanism="RESUME", token=self.resume, login=login, device=device, client=client, cursor=cursor
            )
        if credentials.token is not None:
            return Connect(mechanism="TOKEN", token=credentials.token, login=login, device=device, client=client)
        if credentials.password is None or login is None:
            raise NotAPacket(ErrorCode.WRONG_CREDENTIALS, "The session has ended; log in with the password.")
        offers_plus = SCRAM_PLUS in hello.mechanisms
        mechanism = SCRAM_PLUS if offers_plus and binding is not None else SCRAM
        try:
            self._scram = ClientScram(
                login,
                credentials.password,
                self._nonce(),
                mechanism=mechanism,
                binding=binding,
                server_offers_plus=offers_plus,
                keys=self._keys,
            )
        except ScramFailed as error:
            raise NotAPacket(ErrorCode.BAD_REQUEST, str(error)) from None
        return Connect(mechanism=mechanism, message=self._scram.first(), login=login, device=device, client=client)

    def challenged(self, packet: ConnectAck) -> Challenged | None:
        """The server asks for a proof; None when nobody wanted to give one."""
        if self._scram is None:
            return None
        return Challenged(self._scram, packet.salt, packet.iterations, packet.nonce)

    def succeeded(self, packet: ConnectOk) -> None:
        """The server let us in.  Raises ScramFailed when it is not the one that it claims to be."""
        scram, self._scram = self._scram, None
        if scram is not None:
            # RFC 5802 §5: "the client then authenticates the server by computing the ServerSignature and comparing it"
            scram.check(packet.signature or "")
        self.device, self.resume = packet.device, packet.resume

    def failed(self, code: ErrorCode) -> bool:
        """The server did not.  Returns whether there is another way to try."""
        self._scram = None
        if not self._is_resuming or code not in NO_SUCH_SESSION:
            return False
        self.resume = None
        credentials = self.credentials or Credentials()
        return credentials.password is not None or credentials.token is not None

    def password_changed(self, password: str | None, resume: str) -> None:
        """The password is a new one (None: which is not known), and so is the resumption token."""
        self.resume = resume
        self._keys = SaltedKeys()
        if self.credentials is not None and self.credentials.password is not None:
            self.credentials = self.credentials._replace(password=password)

    def place(self, cursor: int) -> Place:
        return Place(self.device, self.resume, cursor)
