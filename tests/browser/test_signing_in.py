"""The way in: sign in, make an account, follow a link; and out again."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.support.browser import INSECURE_HOST, Tab
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer, unique

from .conftest import Person


def test_login_and_password_by_enter_and_what_is_wrong_is_announced(
    tab: Callable[..., Tab], server: ServerProcess
) -> None:
    """Rows: A53."""
    with newcomer(server.port, "alice") as wire:
        page = tab().open()
        page.get_by_role("textbox", name="Login").fill(wire.login)
        page.get_by_role("textbox", name="Password").fill("not it")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Wrong login or password.")
        page.get_by_role("textbox", name="Password").fill("a password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Contacts")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-state", "connected")


def test_an_empty_field_is_named(tab: Callable[..., Tab]) -> None:
    page = tab().open()
    page.get_by_role("button", name="Sign in").click()
    field = page.get_by_role("textbox", name="Login")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_have_text("Fill this in.")


def test_an_account_is_made_in_the_same_window(tab: Callable[..., Tab]) -> None:
    """Rows: A54."""
    login = unique("newcomer")
    page = tab().open()
    page.get_by_role("textbox", name="Login").fill(login)
    page.get_by_role("textbox", name="Password").fill("words only I would put together")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("link", name="My profile")).to_have_accessible_name(re.compile(login))
    expect(page.get_by_role("heading", name="Nobody here yet")).to_be_visible()


def test_the_set_up_link_makes_the_administrator_whose_invitation_leads_into_a_chat(
    tab: Callable[..., Tab], tmp_path: Path
) -> None:
    """Rows: A25 (partly)."""
    server = ServerProcess(tmp_path / "data").start()
    try:
        path = re.search(rf"http://127\.0\.0\.1:{server.port}(/setup/\S+)", "\n".join(server.said))
        assert path is not None
        admin = tab(server.port)
        page = admin.open(path[1])
        expect(page.get_by_role("heading", name="Set up your server")).to_be_visible()
        page.get_by_role("textbox", name="Login").fill("admin")
        page.get_by_role("textbox", name="Password").fill("a password")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("navigation", name="Contacts")).to_be_visible()

        link = subprocess.run(
            [sys.executable, "-m", "veche.cli.main", "invite", "--data", str(server.data)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[0]
        guest = tab(server.port)
        page = guest.open(re.sub(r"^https://[^/]+", "", link))
        page.get_by_text("Is this the right server?").click()
        expect(page.locator(".fingerprint")).to_have_text(server.fingerprint.replace(":", " "))
        page.get_by_role("textbox", name="Login").fill("guest")
        page.get_by_role("textbox", name="Password").fill("a password")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("heading", name="admin", exact=True)).to_be_visible()
        guest.write("Here I am")
        admin.talk_to("guest")
        expect(admin.page.get_by_role("log")).to_contain_text("Here I am")

        page = tab(server.port).open(re.sub(r"^https://[^/]+", "", link))
        page.get_by_role("textbox", name="Login").fill("late")
        page.get_by_role("textbox", name="Password").fill("a password")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("alert")).to_have_text("This code is not valid, or no longer.")
    finally:
        server.stop()


def test_a_reload_stays_signed_in_and_signing_out_forgets(person: Callable[..., Person]) -> None:
    alice = person("alice")
    alice.page.reload()
    alice.tab.is_connected()
    expect(alice.page.get_by_role("navigation", name="Contacts")).to_be_visible()
    alice.page.get_by_role("link", name="Settings").click()
    alice.page.get_by_role("button", name="Sign out").click()
    alice.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(alice.page.get_by_role("button", name="Sign in")).to_be_visible()
    alice.page.reload()
    expect(alice.page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_device_that_is_signed_out_elsewhere_says_why(person: Callable[..., Person], tab: Callable[..., Tab]) -> None:
    """Rows: X03 (partly)."""
    alice, other = person("alice"), tab()
    other.sign_in(alice.login)
    alice.page.get_by_role("link", name="Settings").click()
    row = alice.page.get_by_role("listitem").filter(has_text="A browser").filter(has_not_text="this device")
    row.get_by_role("button", name="Sign it out").click()
    expect(row).to_have_count(0)
    expect(other.page.get_by_text("This session was revoked.")).to_be_visible()
    expect(other.page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_password_is_changed_the_data_exported_and_the_account_deleted(person: Callable[..., Person]) -> None:
    """Rows: X05 (partly)."""
    alice = person("alice")
    page = alice.page
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("another password")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong login or password.")
    page.get_by_label("Current password").fill("a password")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert f'"login": "{alice.login}@' in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Delete account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Current password").fill("another password")
    dialog.get_by_role("button", name="Delete account").click()
    expect(page.get_by_text("This account was deleted.")).to_be_visible()


def test_without_encryption_the_page_says_what_to_do(tab: Callable[..., Tab], server: ServerProcess) -> None:
    page = tab().page
    page.goto(f"http://{INSECURE_HOST}:{server.port}/")
    expect(page.get_by_role("heading", name="This page is not encrypted")).to_be_visible()
    expect(page.get_by_role("link")).to_have_attribute("href", f"https://{INSECURE_HOST}:{server.port}/")


def test_a_server_that_goes_away_during_the_login_is_named(tab: Callable[..., Tab], own_server: ServerProcess) -> None:
    with Wire(own_server.port) as wire:
        wire.register("alice")
    alice = tab(own_server.port)
    page = alice.open()
    alice.is_connected()
    own_server.kill()
    page.get_by_role("textbox", name="Login").fill("alice")
    page.get_by_role("textbox", name="Password").fill("a password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The server cannot be reached.")
    own_server.start()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Contacts")).to_be_visible()
