"""Prosody and ejabberd, as Debian packages them: client streams over direct TLS (as on port 5223), SCRAM-SHA-1."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import shutil
import sqlite3
from pathlib import Path

from .. import machine, scram
from ..link import Link, open_link
from .base import Frames, Peer, Setup

PASSWORD = "pass"
STREAM = (
    b"<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
    b"xmlns:stream='http://etherx.jabber.org/streams'>"
)
SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"


class Xmpp(Peer):
    marker = b"</message>"

    async def connect(self, user: str, *, present: bool = True) -> Link:
        link = await open_link(self.port, self.setup.tls, Link)
        link.write(STREAM)
        await link.expect(b"</stream:features>")
        exchange = scram.Exchange("sha1", user, PASSWORD)
        link.write(f"<auth {SASL} mechanism='SCRAM-SHA-1'>{_base64(exchange.first)}</auth>".encode())
        challenge = await self._sasl(link, b"</challenge>")
        match = re.search(rb"<challenge[^>]*>([^<]*)", challenge)
        assert match is not None
        final, proof, _ = exchange.answer(base64.b64decode(match.group(1)).decode())
        link.write(f"<response {SASL}>{_base64(f'{final},p={proof}')}</response>".encode())
        await self._sasl(link, b"</success>")
        link.write(STREAM)
        await link.expect(b"</stream:features>")
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind>"
        link.write(f"<iq type='set' id='b1'>{bind}</iq>".encode())
        await link.expect(b"</iq>")
        if present:
            self.ask_for_stored(link)
            await self.taken_in(link, 0)
        return link

    @staticmethod
    async def _sasl(link: Link, wanted: bytes) -> bytes:
        answer = await link.expect(wanted, b"</failure>")
        if answer.endswith(b"</failure>"):
            raise RuntimeError(f"not logged in: {answer!r}")
        return answer

    def message(self, sender: str, receiver: str, body: str) -> Frames:
        text = f"<message to='{receiver}@localhost' type='chat' id='m1'><body>{body}</body></message>"
        frame = text.encode()
        return lambda count: frame * count

    async def taken_in(self, link: Link, count: int) -> None:
        """A ping after the messages: the server reads in order.  (Whether they are on the disk it does not say.)"""
        link.write(b"<iq type='get' id='pq9' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
        await link.expect(b"id='pq9'", b'id="pq9"', patience=120)
        if b"<message" not in link.buffer:
            link.buffer = b""

    def ask_for_stored(self, link: Link) -> None:
        link.write(b"<presence/>")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Prosody(Xmpp):
    """persist: off (no archive), internal (archive in files), sqlite (archive in SQLite)."""

    name = "prosody"
    persist_modes = ("off", "internal", "sqlite")

    @classmethod
    def missing(cls) -> str | None:
        return None if shutil.which("prosody") else "prosody is not installed (apt install prosody lua-dbi-sqlite3)"

    async def start(self) -> None:
        self._write_accounts()
        config = self.folder / "prosody.cfg.lua"
        config.write_text(self._config())
        process = machine.spawn(["prosody", "-F", "--config", config], self.log)
        self.processes.append(process)
        await machine.wait_for_port(self.port, process, self.log)

    def _write_accounts(self) -> None:
        """Straight into its files, all with one salt, so that the generator derives one key."""
        accounts = self.folder / "data" / "localhost" / "accounts"
        accounts.mkdir(parents=True)
        salt, iterations = "0123456789abcdef", 10_000
        made = scram.keys("sha1", PASSWORD, salt.encode(), iterations)
        account = (
            f'return {{ ["salt"]="{salt}"; ["iteration_count"]={iterations}; '
            f'["stored_key"]="{made.stored.hex()}"; ["server_key"]="{made.server.hex()}"; }};\n'
        )
        for user in self.setup.plan.users:
            (accounts / f"{user}.dat").write_text(account)

    def _config(self) -> str:
        made = self.certificate()
        archive = self.setup.persist != "off"
        storage = "sql" if self.setup.persist == "sqlite" else "internal"
        plain, direct_tls = ("", self.port) if self.setup.tls else (self.port, "")
        return f"""
run_as_root = true
daemonize = false
pidfile = "{self.folder}/prosody.pid"
data_path = "{self.folder}/data"
admins = {{}}
modules_enabled = {{ "disco", "roster", "saslauth", "tls", "blocklist", "bookmarks", "carbons", "dialback", "pep",
  "private", "smacks", "vcard4", "vcard_legacy", "csi_simple", "ping", "register", "time", "uptime", "version",
  "posix" {', "mam"' if archive else ""} }}
modules_disabled = {{ "s2s" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {direct_tls} }}
c2s_direct_tls_ssl = {{ key = "{made.key}"; certificate = "{made.certificate}"; }}
ssl = {{ key = "{made.key}"; certificate = "{made.certificate}"; }}
c2s_require_encryption = false
s2s_ports = {{}}
authentication = "internal_hashed"
storage = {{ archive = "{storage}"; offline = "{storage}" }}
sql = {{ driver = "SQLite3"; database = "{self.folder}/prosody.sqlite" }}
archive_expires_after = "1w"
log = {{ warn = "{self.log}" }}
VirtualHost "localhost"
Component "conference.localhost" "muc"
"""


EJABBERD_SQL = Path("/usr/share/ejabberd/sql/lite.sql")


class Ejabberd(Xmpp):
    """persist: off (no archive), mnesia (archive in mnesia), sqlite (archive and offline messages in SQLite)."""

    name = "ejabberd"
    persist_modes = ("off", "mnesia", "sqlite")

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._api_port = machine.free_port()

    @classmethod
    def missing(cls) -> str | None:
        if shutil.which("ejabberdctl") and shutil.which("erl") and _ejabberd_libraries():
            return None
        return "ejabberd is not installed (apt install ejabberd erlang-p1-sqlite3)"

    async def start(self) -> None:
        self.folder.chmod(0o777)
        if self.setup.persist == "sqlite":
            self._make_database()
        config = self.folder / "ejabberd.yml"
        config.write_text(self._config())
        libraries = _ejabberd_libraries()
        assert libraries is not None
        environment = {
            "EJABBERD_CONFIG_PATH": str(config),
            "EJABBERD_LOG_PATH": f"{self.folder}/ejabberd.log",
            "EJABBERD_PID_PATH": f"{self.folder}/ejabberd.pid",
            "ERL_CRASH_DUMP": f"{self.folder}/crash.dump",
            "ERL_LIBS": str(libraries),
            "ERL_MAX_PORTS": "32000",
            "ERL_MAX_ETS_TABLES": "1400",
            "HOME": str(self.folder),
        }
        command = ["erl", "+K", "true", "+P", "250000", "+S", "1"]
        command += ["-mnesia", "dir", f'"{self.folder}/mnesia"', "-noinput", "-s", "ejabberd"]
        process = machine.spawn(command, self.log, env=environment, cwd=self.folder)
        self.processes.append(process)
        await machine.wait_for_port(self.port, process, self.log)
        await machine.wait_for_port(self._api_port, process, self.log)
        await asyncio.to_thread(self._register)

    def _make_database(self) -> None:
        with sqlite3.connect(self.folder / "ejabberd.db") as database:
            database.executescript(EJABBERD_SQL.read_text())

    def _register(self) -> None:
        api = http.client.HTTPConnection("127.0.0.1", self._api_port)
        for user in self.setup.plan.users:
            account = {"user": user, "host": "localhost", "password": PASSWORD}
            api.request("POST", "/api/register", json.dumps(account), {"Content-Type": "application/json"})
            answer = api.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"register: {answer.status} {said!r}")
        api.close()

    def _config(self) -> str:
        sql = self.setup.persist == "sqlite"
        database = "sql" if sql else "mnesia"
        server = f'sql_type: sqlite\nsql_database: "{self.folder}/ejabberd.db"' if sql else ""
        archive = (
            f"  mod_mam:\n    db_type: {database}\n    default: always\n    assume_mam_usage: true"
            if self.setup.persist != "off"
            else ""
        )
        return f"""
loglevel: error
hosts: [localhost]
certfiles: ["{self.certificate().both}"]
{server}
auth_method: internal
auth_password_format: scram
listen:
  - port: {self.port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    backlog: 1024
    max_stanza_size: 262144
    shaper: none
    access: all
    tls: {"true" if self.setup.tls else "false"}
  - port: {self._api_port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
acl:
  loopback:
    ip: [127.0.0.0/8]
api_permissions:
  "all":
    who:
      access:
        allow:
          - acl: loopback
    what: "*"
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: infinity
modules:
  mod_admin_extra: {{}}
  mod_adhoc: {{}}
  mod_avatar: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_http_api: {{}}
  mod_last: {{}}
  mod_muc:
    host: conference.localhost
  mod_offline:
    access_max_user_messages: max_user_offline_messages
    db_type: {database}
{archive}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    plugins: [flat, pep]
  mod_push: {{}}
  mod_push_keepalive: {{}}
  mod_roster:
    versioning: true
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_vcard:
    search: false
  mod_vcard_xupdate: {{}}
  mod_version: {{}}
"""


def _ejabberd_libraries() -> Path | None:
    """The folder in which the package put ejabberd's own Erlang application."""
    return next((found.parent for found in Path("/usr/lib").glob("*/ejabberd-*")), None)
