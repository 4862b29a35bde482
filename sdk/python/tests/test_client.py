"""The client against peers that refuse, break off or lie."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from althing import Client, ConnectionFailed, FormError, ProblemError, Signer, SigningKey, Submission, act_purpose, operate_as
from conftest import ROOT

PROBLEM = {"title": "Conflict", "status": 409, "code": "nonce_reused", "detail": "It was used.", "advice": "Take the next."}
ID = "a" * 64


class Peer:
    """A peer that answers what the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any, dict[str, str]]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                peer.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, body, headers = peer.answers.pop(0) if peer.answers else (200, {}, {})
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.client = Client(f"http://127.0.0.1:{self.server.server_port}/")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, status: int, body: Any, **headers: str) -> None:
        self.answers.append((status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_problem_is_an_error_with_its_code_and_says_what_to_do(peer: Peer) -> None:
    peer.answer(409, PROBLEM)
    with pytest.raises(ProblemError, match=re.escape("It was used. (nonce_reused) Take the next.")) as caught:
        peer.client.status()
    assert caught.value.code == "nonce_reused" and not caught.value.is_temporary
    peer.answer(503, PROBLEM | {"status": 503, "code": "busy"})
    with pytest.raises(ProblemError) as caught:
        peer.client.status()
    assert caught.value.is_temporary


def test_what_is_no_peer_is_told_so(peer: Peer) -> None:
    for status, body in ((200, b"<html>"), (502, b"<html>"), (500, {"status": "x"}), (302, b""), (200, [1]), (200, b"[" * 100_000)):
        peer.answer(status, body, location="http://127.0.0.1:9/")
        with pytest.raises(FormError):
            peer.client.status()
    with pytest.raises(ConnectionFailed):
        Client("http://127.0.0.1:1").status()
    with pytest.raises(ValueError):
        Client("ftp://x")


def test_a_peer_that_is_not_well_says_so_and_that_is_no_error(peer: Peer) -> None:
    health = {"state": "unavailable", "reasons": [], "height": 3}
    peer.answer(503, health)
    assert peer.client.health() == health


def test_ids_are_escaped_and_parameters_named(peer: Peer) -> None:
    peer.client.property("did:althing:demo:x", "../status?a=b#c")
    peer.client.things(name="a&b", type_="Sensor", limit=None)
    assert [path for path, _ in peer.asked] == ["/v1/things/did%3Aalthing%3Ademo%3Ax/properties/..%2Fstatus%3Fa%3Db%23c", "/v1/things?name=a%26b&type=Sensor"]


def test_a_client_reads_what_it_wrote(peer: Peer) -> None:
    outcome = {"height": 12, "receipt": {"effect": "applied"}}
    peer.answer(202, {"transactions": [{"id": "x", "status": "waiting"}]})
    peer.answer(200, {"outcome": outcome})
    assert peer.client.finalize(Submission(b"\x01", [b"\x02"])) == outcome
    peer.answer(200, {}, althing_height="14")
    peer.client.status()
    assert [headers.get("althing-min-height") for _, headers in peer.asked] == [None, None, "12"]
    assert peer.client.height == 14
    peer.answer(200, {"transactions": [{"id": "x", "status": "refused", "problem": PROBLEM}]})
    with pytest.raises(ProblemError):
        peer.client.finalize(Submission(b"\x01"))


def _event(cursor: str) -> bytes:
    return f": alive\n\nid: {cursor}\ndata: {json.dumps({'cursor': cursor})}\r\n\n".encode()


def test_a_broken_connection_is_opened_again_behind_the_last_event(peer: Peer) -> None:
    peer.answer(200, _event("1-0-0") + _event("2-0-0") + b"data: {")
    peer.answer(503, PROBLEM | {"status": 503, "code": "busy"})
    peer.answer(200, _event("3-0-0"))
    events = peer.client.events(after="0-0-0", retry_s=0.001)
    assert [next(events)["cursor"] for _ in range(3)] == ["1-0-0", "2-0-0", "3-0-0"]
    assert [headers.get("last-event-id") for _, headers in peer.asked] == ["0-0-0", "2-0-0", "2-0-0"]


def test_events_that_cannot_succeed_end(peer: Peer) -> None:
    peer.answer(400, PROBLEM | {"status": 400, "code": "invalid_cursor"})
    with pytest.raises(ProblemError):
        next(peer.client.events())
    for body in (b"x" * 70_000, b"data: {\n\n"):
        peer.answer(200, body)
        with pytest.raises(FormError):
            next(peer.client.events())


def test_every_operation_has_a_method(peer: Peer) -> None:
    client = peer.client
    for method in (client.health, client.status, client.peers, client.network, client.metrics, client.entities, client.things, client.blocks):
        method()
    for by_id in (client.account, client.entity, client.keys, client.history, client.notifications, client.pending, client.policies, client.resolve):
        by_id(ID)
    for by_id in (client.thing, client.stream, client.readings, client.latest, client.aggregates, client.gaps, client.transaction):
        by_id(ID)
    client.tagged_readings("a/b", property="x")
    for prove in (client.description, client.prove_range, client.prove_aggregate, client.prove_receipt):
        prove(ID)
    client.prove_run(ID, 7)
    for about_access in (client.access_policies, client.grants, client.grant, client.access_feed, client.commands, client.command, client.voucher):
        about_access(ID)
    client.explain_access()
    client.supply()
    client.holdings()
    client.holding(ID)
    client.transfers(ID)
    client.escrows(ID)
    client.sponsored(ID)
    client.candidates()
    client.stake(ID)
    client.rewards_by(ID)
    client.rewards_of(ID)
    client.escrow(ID)
    client.reward(ID)
    client.governance()
    client.policies_at(7)
    client.links()
    client.link(ID)
    client.calls("asked")
    client.call(ID)
    client.calls("taken")
    client.call(ID, ledger=ID)
    client.proposals()
    client.proposal(ID)
    client.consequence(b"\x01")
    client.codes()
    client.contracts()
    for about_contracts in (client.code, client.code_module, client.contract, client.contract_history):
        about_contracts(ID)
    client.ask_contract(ID, "{}")
    client.try_out(b"\x01")
    client.services()
    client.service(ID)
    client.service_version(ID, "1.0.0")
    client.service_history(ID)
    client.triggers()
    client.trigger(ID)
    client.trigger_runs(ID)
    client.try_trigger(b"\x01", ID)
    client.stream_key(ID, 1)
    for about_secrecy in (client.erasures, client.holders, client.regulations, client.agreement, client.pause_webhook, client.delete_webhook):
        about_secrecy(ID)
    client.pause_webhook(ID, paused=False)
    client.create_webhook("http://hook.test/")
    client.webhooks()
    client.alarms()
    client.acknowledge(7)
    client.alarm_log()
    client.operation_log()
    client.configuration()
    client.configurations()
    client.check_configuration("")
    client.apply_configuration("")
    client.stop_peer()
    assert list(client.alarm_changes()) == []
    assert list(client.peer_changes()) == []
    client.gateways()
    client.report_gateway({})
    client.property(ID, "a/b")
    client.block(7)
    client.prove_reading(ID, 3)
    client.prove_state(b"e/x")
    peer.answer(200, {"transactions": []})
    client.submit([Submission(b"\x01")])
    peer.answer(200, _event("1-0-0"))
    next(client.events())
    document = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
    patterns = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in document["paths"] if path != "/v1/events/socket"]
    paths = [path.partition("?")[0] for path, _ in peer.asked]
    assert [each.pattern for each in patterns if not any(map(each.fullmatch, paths))] == [], "operations without a method"
    assert [path for path in paths if not any(each.fullmatch(path) for each in patterns)] == [], "requests that no peer knows"


def test_each_act_of_an_operator_has_a_token_of_its_own(peer: Peer) -> None:
    # As `althing_client::operating` has it.
    stop = "operate:77996292928e83a887e1dfee79074ac6"
    assert act_purpose("POST", "/v1/operation/stop", b"") == stop
    peer.answer(200, {"key": "07" * 32})
    operate_as(peer.client, Signer("01" * 32, "02" * 32, SigningKey("ed25519", b"\x01" * 32)))
    peer.client.stop_peer()
    peer.client.stop_peer()
    peer.client.operation_log()
    tokens = [headers.get("authorization", "") for _, headers in peer.asked][1:]
    first, again, look = tokens
    assert first != again
    assert all(stop.encode().hex() in each for each in (first, again))
    assert f"67{b'operate'.hex()}" in look
