"""A client of the HTTP interface of a peer (docs/reference/http-api.md): reads, events, submissions."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import cbor
from .answer import (
    EVENT_BYTES_MAX,
    ConnectionFailed,
    FormError,
    Json,
    ProblemError,
    RequestError,
    Unwell,
    parse,
    read_all,
    read_some,
    refused,
)

_WAIT_MAX_S = 30.0
_SILENCE_MAX_S = 45.0
"""A peer says every 15 s that it is there; one that is silent for three times that is not."""
_RETRY_MAX_S = 15.0


@dataclass(frozen=True)
class Submission:
    """What is posted to be put on the ledger: a signed transaction and the payloads of its batches."""

    wire: bytes
    payloads: list[bytes] = field(default_factory=list)

    def encoded(self) -> bytes:
        """As it stands in a request."""
        payloads = cbor.array([cbor.byte_string(each) for each in self.payloads])
        return cbor.array([cbor.byte_string(self.wire), payloads])


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    """A client of one peer.

    It reads its own writes: once a transaction is known to be final at a height, the peer is asked to
    answer from that height or later. Ids of entities and things are DIDs or hex, other ids hex. Every
    method raises a `RequestError` if the request fails. Queries are keyword arguments, `type_` for `type`
    and `from_` for `from`.
    """

    def __init__(self, url: str, timeout_s: float = 15.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"`{url}` is not an address such as http://127.0.0.1:4464")
        self.url = url.rstrip("/")
        self.height = 0
        """The highest height the peer has answered from; 0 before the first answer."""
        self._own_height = 0
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._token: Callable[..., str] | None = None

    def read_as(self, token: Callable[..., str] | None) -> None:
        """From now on, says with each request who reads, by the token given; None stops that. See `read_as` of `althing.signer`.

        For an act of an operator it is asked with path and body: see `operate_as` there.
        """
        self._token = token

    def read_from(self, height: int) -> None:
        """From now on, reads from this height or later."""
        self._own_height = max(self._own_height, height)

    # The peer and its network.

    def health(self) -> Json:
        """Whether the peer can serve, and if not, why. A peer that is not well is no error here."""
        try:
            return self._json("/v1/health", reads_own_writes=False)
        except Unwell as answer:
            return answer.health

    def status(self) -> Json:
        """What the peer is doing."""
        return self._json("/v1/status")

    def peers(self) -> Json:
        """The peers of the network as this one sees them."""
        return self._json("/v1/peers")

    def network(self) -> Json:
        """The network this peer belongs to, with its genesis: trust that no more than the peer."""
        return self._json("/v1/network")

    def metrics(self) -> str:
        """Figures in Prometheus text format."""
        return self._bytes("/metrics").decode(errors="replace")

    # Entities.

    def account(self, id: str) -> Json:
        """What a sender needs to know before it signs."""
        return self._json(f"/v1/accounts/{_segment(id)}")

    def entities(self, **query: Any) -> Json:
        """A page of entities: `kind`, `owner`, `name`, `after`, `limit`."""
        return self._json("/v1/entities", query)

    def entity(self, id: str) -> Json:
        """An entity."""
        return self._json(f"/v1/entities/{_segment(id)}")

    def keys(self, id: str, **query: Any) -> Json:
        """A page of every key an entity has had, oldest first."""
        return self._json(f"/v1/entities/{_segment(id)}/keys", query)

    def history(self, id: str, **query: Any) -> Json:
        """A page of the transactions an entity has sent, newest first."""
        return self._json(f"/v1/entities/{_segment(id)}/transactions", query)

    def notifications(self, id: str, **query: Any) -> Json:
        """A page of the records that notified an entity, newest first."""
        return self._json(f"/v1/entities/{_segment(id)}/notifications", query)

    def pending(self, id: str, **query: Any) -> Json:
        """A page of what waits for an entity's approval, or for approvals of what it sent."""
        return self._json(f"/v1/entities/{_segment(id)}/pending", query)

    def policies(self, id: str) -> Json:
        """The approval policies of an organisation."""
        return self._json(f"/v1/entities/{_segment(id)}/policies")

    def resolve(self, did: str) -> Json:
        """The DID document of an entity or thing."""
        return self._json(f"/v1/dids/{_segment(did)}")

    # Things and their streams.

    def things(self, **query: Any) -> Json:
        """A page of things: `owner`, `name`, `type_`, `property`, `after`, `limit`."""
        return self._json("/v1/things", query)

    def thing(self, id: str) -> Json:
        """A thing."""
        return self._json(f"/v1/things/{_segment(id)}")

    def description(self, id: str, **query: Any) -> bytes:
        """The Thing Description, byte for byte as its owner registered it; its digest is on the ledger."""
        return self._bytes(f"/v1/things/{_segment(id)}/description", query)

    def property(self, id: str, name: str) -> Json:
        """A property of a thing, with its stream and latest reading."""
        return self._json(f"/v1/things/{_segment(id)}/properties/{_segment(name)}")

    def stream(self, id: str) -> Json:
        """A stream."""
        return self._json(f"/v1/streams/{_segment(id)}")

    def readings(self, id: str, **query: Any) -> Json:
        """A page of readings: `first_seq`, `last_seq`, `from_`, `until`, `after`, `limit`."""
        return self._json(f"/v1/streams/{_segment(id)}/readings", query)

    def latest(self, id: str, **query: Any) -> Json:
        """The latest readings of a stream, newest last."""
        return self._json(f"/v1/streams/{_segment(id)}/latest", query)

    def aggregates(self, id: str, **query: Any) -> Json:
        """A stream in buckets of claimed time: `from_`, `until`, `bucket_ms` or `buckets`."""
        return self._json(f"/v1/streams/{_segment(id)}/aggregates", query)

    def tagged_readings(self, tag: str, **query: Any) -> Json:
        """A `property` of the things that have a tag: `from_`, `until`, `after`, `limit`."""
        return self._json(f"/v1/tags/{_segment(tag)}/readings", query)

    def gaps(self, id: str, **query: Any) -> Json:
        """A page of sequence numbers of a stream that did not come."""
        return self._json(f"/v1/streams/{_segment(id)}/gaps", query)

    def stream_key(self, id: str, number: int) -> Json:
        """A key of a confidential stream, wrapped to its readers: see `unwrap_stream_key`."""
        return self._json(f"/v1/streams/{_segment(id)}/keys/{number}")

    def erasures(self, id: str) -> Json:
        """What was erased of a stream, and which peers have confirmed it."""
        return self._json(f"/v1/streams/{_segment(id)}/erasures")

    def regulations(self, id: str) -> Json:
        """The regulations about a stream, and whether it complies with each."""
        return self._json(f"/v1/streams/{_segment(id)}/regulations")

    def holders(self, id: str, **query: Any) -> Json:
        """Who holds the payloads of a stream, and of its newest batches: `last_seq`, `limit`."""
        return self._json(f"/v1/streams/{_segment(id)}/holders", query)

    def agreement(self, id: str) -> Json:
        """To which key streams' keys are wrapped for an entity."""
        return self._json(f"/v1/entities/{_segment(id)}/agreement")

    def gateways(self) -> Json:
        """The gateways that have reported to the peer since it started, and how they are doing."""
        return self._json("/v1/gateways")

    def report_gateway(self, report: Json) -> None:
        """Says how the gateway is doing that reads, by a token with the purpose `gateway`."""
        self._bytes("/v1/gateways/report", body=json.dumps(report).encode())

    # Webhooks of who reads, by tokens with the purpose `webhooks`.

    def create_webhook(self, url: str, events: Json | None = None, purpose: str = "") -> Json:
        """Has the peer post each event to a URL; `events` are the parameters of `events`."""
        new = {"url": url, "purpose": purpose, "events": events or {}}
        return self._json("/v1/webhooks", body=json.dumps(new).encode())

    def webhooks(self) -> Json:
        """The webhooks of who reads, with what came of their calls."""
        return self._json("/v1/webhooks")

    def pause_webhook(self, id: str, paused: bool = True) -> Json:
        """Pauses a webhook, or lets it go on."""
        return self._json(f"/v1/webhooks/{_segment(id)}/{'pause' if paused else 'resume'}", body=b"null")

    def delete_webhook(self, id: str) -> None:
        """Deletes a webhook."""
        self._bytes(f"/v1/webhooks/{_segment(id)}/delete", body=b"null")

    # Operating a peer, as somebody whom its configuration names: see `althing.signer.operate_as`.

    def alarms(self) -> Json:
        """The alarms of the peer, which anybody may see."""
        return self._json("/v1/alarms")

    def peer_changes(self) -> Iterator[Json]:
        """The newest changes among the peers, then each that comes, is lost or is back, without end."""
        return self._listen("/v1/peers/changes")

    def alarm_changes(self) -> Iterator[Json]:
        """The alarms that last, then each that comes, ends or is acknowledged, without end."""
        return self._listen("/v1/alarms/changes")

    def acknowledge(self, id: int, note: str = "") -> Json:
        """Notes that this operator has seen an alarm."""
        return self._json(f"/v1/alarms/{id}/acknowledge", body=json.dumps({"note": note}).encode(), acts=True)

    def alarm_log(self, **query: Any) -> Json:
        """A part of what became of alarms: `after`, `limit`."""
        return self._json("/v1/alarms/log", query)

    def operation_log(self, **query: Any) -> Json:
        """A part of what was done to the peer: `after`, `limit`."""
        return self._json("/v1/operation/log", query)

    def configuration(self) -> Json:
        """The configuration that the peer runs with."""
        return self._json("/v1/operation/configuration")

    def configurations(self) -> Json:
        """The versions of the peer's configuration."""
        return self._json("/v1/operation/configurations")

    def check_configuration(self, text: str) -> Json:
        """What a configuration (TOML) would change; nothing does."""
        return self._json("/v1/operation/check", body=text.encode(), acts=True)

    def apply_configuration(self, text: str) -> Json:
        """Puts a configuration (TOML) in the place of the present one."""
        return self._json("/v1/operation/apply", body=text.encode(), acts=True)

    def stop_peer(self) -> None:
        """Has the peer settle what it took, and end."""
        self._bytes("/v1/operation/stop", body=b"", acts=True)

    # The ledger.

    def blocks(self, **query: Any) -> Json:
        """A page of final blocks, newest first: `before`, `limit`."""
        return self._json("/v1/blocks", query)

    def block(self, height: int, **query: Any) -> Json:
        """A final block."""
        return self._json(f"/v1/blocks/{height}", query)

    def transaction(self, id: str, **query: Any) -> Json:
        """A transaction that the peer knows, waiting or final."""
        return self._json(f"/v1/transactions/{_segment(id)}", query, wait_s=query.get("timeout_ms", 0) / 1000)

    # Who may read and act.

    def access_policies(self, owner: str, **query: Any) -> Json:
        """A page of the access policies of an owner."""
        return self._json(f"/v1/access/policies/{_segment(owner)}", query)

    def grants(self, entity: str, **query: Any) -> Json:
        """A page of requests and grants of an entity, or about what it has: `status`, `after`, `limit`."""
        return self._json("/v1/access/grants", {"entity": entity} | query)

    def grant(self, id: str) -> Json:
        """A request or grant."""
        return self._json(f"/v1/access/grants/{_segment(id)}")

    def access_feed(self, owner: str, **query: Any) -> Json:
        """A page of what became of access to what an owner has, newest first."""
        return self._json("/v1/access/feed", {"owner": owner} | query)

    def explain_access(self, **query: Any) -> Json:
        """Which policy decides about an access: `entity`, `right`, `purpose`, and what it is about."""
        return self._json("/v1/access/explain", query)

    # Commands and vouchers.

    def commands(self, thing: str, **query: Any) -> Json:
        """A page of the commands of a thing."""
        return self._json(f"/v1/things/{_segment(thing)}/commands", query)

    def command(self, id: str) -> Json:
        """A command."""
        return self._json(f"/v1/commands/{_segment(id)}")

    def voucher(self, id: str) -> Json:
        """A maker's voucher."""
        return self._json(f"/v1/vouchers/{_segment(id)}")

    # Governance.

    def governance(self) -> Json:
        """Who decides, and what is open."""
        return self._json("/v1/governance")

    def policies_at(self, height: int) -> Json:
        """What the members had decided by a height."""
        return self._json(f"/v1/governance/at/{height}")

    def proposals(self, **query: Any) -> Json:
        """A page of all proposals of changes, newest first."""
        return self._json("/v1/governance/proposals", query)

    def proposal(self, id: str) -> Json:
        """An open proposal of a change."""
        return self._json(f"/v1/governance/proposals/{_segment(id)}")

    def consequence(self, change: bytes) -> Json:
        """What a change, in canonical CBOR, would lead to; nothing is written."""
        return self._json("/v1/governance/consequence", body=change)

    # Contracts.

    def codes(self, **query: Any) -> Json:
        """A page of code of contracts."""
        return self._json("/v1/codes", query)

    def code(self, id: str) -> Json:
        """Code of contracts."""
        return self._json(f"/v1/codes/{_segment(id)}")

    def code_module(self, id: str) -> bytes:
        """The WebAssembly module of code, whose SHA-256 its id is."""
        return self._bytes(f"/v1/codes/{_segment(id)}/module")

    def contracts(self, **query: Any) -> Json:
        """A page of contracts: `name`, `interface`, `code`, or those `awaiting` a participant."""
        return self._json("/v1/contracts", query)

    def contract(self, id: str) -> Json:
        """A contract."""
        return self._json(f"/v1/contracts/{_segment(id)}")

    def contract_history(self, id: str, **query: Any) -> Json:
        """A page of what called or changed a contract, newest first."""
        return self._json(f"/v1/contracts/{_segment(id)}/transactions", query)

    def ask_contract(self, id: str, message: str) -> Json:
        """What a contract answers to a message in JSON; nothing changes."""
        return self._json(f"/v1/contracts/{_segment(id)}/answer", {"message": message})

    def try_out(self, body: bytes) -> Json:
        """What would come of the body of a transaction in the next block, were it signed; nothing changes."""
        return self._json("/v1/trials", body=body)

    # Services.

    def services(self, **query: Any) -> Json:
        """A page of services that this reader is shown: with a `text`, `name`, `interface`, `tag`, of a `provider` or `kind`."""
        return self._json("/v1/services", query)

    def service(self, id: str) -> Json:
        """A service."""
        return self._json(f"/v1/services/{_segment(id)}")

    def service_version(self, id: str, version: str) -> Json:
        """One version of a service, with its schema; also one that was withdrawn."""
        return self._json(f"/v1/services/{_segment(id)}/versions/{_segment(version)}")

    def service_history(self, id: str, **query: Any) -> Json:
        """A page of what changed a service, newest first."""
        return self._json(f"/v1/services/{_segment(id)}/transactions", query)

    # Tokens.

    def supply(self) -> Json:
        """How the token of the ledger is called, where all of it is, and what transactions cost."""
        return self._json("/v1/supply")

    def holdings(self, **query: Any) -> Json:
        """A page of the accounts that have tokens."""
        return self._json("/v1/accounts", query)

    def holding(self, id: str) -> Json:
        """What an entity or a contract has."""
        return self._json(f"/v1/accounts/{_segment(id)}/tokens")

    def transfers(self, id: str, **query: Any) -> Json:
        """A page of what came to an account and left it, newest first."""
        return self._json(f"/v1/accounts/{_segment(id)}/transfers", query)

    def escrows(self, id: str, **query: Any) -> Json:
        """A page of the open escrows that an account locked, is to get or decides about."""
        return self._json(f"/v1/accounts/{_segment(id)}/escrows", query)

    def sponsored(self, id: str, **query: Any) -> Json:
        """A page of the entities whose fees an account pays."""
        return self._json(f"/v1/accounts/{_segment(id)}/sponsored", query)

    def rewards_by(self, id: str, **query: Any) -> Json:
        """A page of the open rewards that an account offered."""
        return self._json(f"/v1/accounts/{_segment(id)}/rewards", query)

    def rewards_of(self, stream: str) -> Json:
        """The open rewards for readings of a stream."""
        return self._json(f"/v1/streams/{_segment(stream)}/rewards")

    def candidates(self, **query: Any) -> Json:
        """A page of the peers that stand for a seat by their stakes, the first in line first."""
        return self._json("/v1/stakes", query)

    def stake(self, peer: str) -> Json:
        """What is staked behind a peer."""
        return self._json(f"/v1/stakes/{_segment(peer)}")

    def links(self, **query: Any) -> Json:
        """A page of what organisations know of other ledgers: of all, or of an `owner`."""
        return self._json("/v1/links", query)

    def link(self, id: str) -> Json:
        """What one knows of another ledger."""
        return self._json(f"/v1/links/{_segment(id)}")

    def calls(self, which: str, **query: Any) -> Json:
        """A page of calls that this ledger has `asked` others, or `taken` from them, oldest first: all, or those that are `open`."""
        return self._json(f"/v1/calls/{_segment(which)}", query)

    def call(self, id: str, ledger: str | None = None) -> Json:
        """A call that this ledger asks, or that another `ledger` asks it, whatever came of it."""
        where = "asked" if ledger is None else f"taken/{_segment(ledger)}"
        return self._json(f"/v1/calls/{where}/{_segment(id)}")

    def escrow(self, id: str) -> Json:
        """An open escrow."""
        return self._json(f"/v1/escrows/{_segment(id)}")

    def reward(self, id: str) -> Json:
        """An open reward."""
        return self._json(f"/v1/rewards/{_segment(id)}")

    # Triggers.

    def triggers(self, **query: Any) -> Json:
        """A page of triggers: of this `owner`, with this `name`."""
        return self._json("/v1/triggers", query)

    def trigger(self, id: str) -> Json:
        """A trigger."""
        return self._json(f"/v1/triggers/{_segment(id)}")

    def trigger_runs(self, id: str, **query: Any) -> Json:
        """A page of what a trigger did and what changed it, newest first."""
        return self._json(f"/v1/triggers/{_segment(id)}/runs", query)

    def try_trigger(self, trigger: bytes, owner: str, **query: Any) -> Json:
        """When a trigger, in canonical CBOR, would have happened `from_` and `until` times, and what it would do now.

        Nothing changes.
        """
        return self._json("/v1/triggers/trial", {"owner": owner, **query}, body=trigger)

    # Proof bundles, to be checked with `verify`.

    def prove_reading(self, stream: str, seq: int) -> bytes:
        """The proof bundle of one reading."""
        return self._bytes(f"/v1/proofs/readings/{_segment(stream)}/{seq}")

    def prove_range(self, stream: str, **query: Any) -> bytes:
        """The proof bundle of all readings of a range: `first_seq` and `last_seq`, or `from_` and `until`."""
        return self._bytes(f"/v1/proofs/ranges/{_segment(stream)}", query)

    def prove_aggregate(self, stream: str, **query: Any) -> bytes:
        """The proof bundle of what the readings of a range come to."""
        return self._bytes(f"/v1/proofs/aggregates/{_segment(stream)}", query)

    def prove_state(self, key: bytes) -> bytes:
        """The proof bundle of what the state holds at a raw key, or that it holds nothing."""
        return self._bytes(f"/v1/proofs/state/{key.hex()}")

    def prove_run(self, trigger: str, height: int) -> bytes:
        """The proof bundle of a run of a trigger in the block at a height."""
        return self._bytes(f"/v1/proofs/runs/{_segment(trigger)}/{height}")

    def prove_receipt(self, id: str) -> bytes:
        """The proof bundle of a transaction and its receipt."""
        return self._bytes(f"/v1/proofs/receipts/{_segment(id)}")

    # Events.

    def events(self, after: str | None = None, retry_s: float = 0.5, **query: Any) -> Iterator[Json]:
        """Events from a cursor on, without end; `after="0-0-0"` begins at the first. Filters: `type_`,
        `entity`, `thing`, `stream`.

        A connection that breaks is opened again behind the last event, so none is missed or given twice.
        Ends with an error only if the peer refuses the request as such.
        """
        cursor, wait_s = after, retry_s
        while True:
            try:
                for record in self._connect(query, cursor):
                    cursor, wait_s = record["cursor"], retry_s
                    yield record
            except RequestError as error:
                if not error.is_temporary:
                    raise
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _RETRY_MAX_S)

    def _connect(self, query: Json, cursor: str | None) -> Iterator[Json]:
        return self._listen("/v1/events", query, {} if cursor is None else {"last-event-id": cursor})

    def _listen(self, path: str, query: Json | None = None, headers: dict[str, str] | None = None) -> Iterator[Json]:
        headers = {"accept": "text/event-stream"} | (headers or {})
        with self._open(path, query, headers=headers, timeout_s=_SILENCE_MAX_S) as answer:
            data: list[bytes] = []
            while line := read_some(answer.readline, EVENT_BYTES_MAX):
                line = line.rstrip(b"\r\n")
                if line.startswith(b"data:"):
                    data.append(line[5:].removeprefix(b" "))
                elif not line and data:
                    yield parse(b"\n".join(data))
                    data = []
                if sum(map(len, data)) + len(line) >= EVENT_BYTES_MAX:
                    raise FormError("an event is too long")

    # Writing.

    def submit(self, submissions: list[Submission], **query: Any) -> list[Json]:
        """Submits transactions; says of each, in order, whether it was admitted."""
        body = cbor.array([each.encoded() for each in submissions])
        wait_s = query.get("timeout_ms", 0) / 1000
        admissions: list[Json] = self._json("/v1/transactions", query, body=body, wait_s=wait_s)["transactions"]
        for each in admissions:
            if each.get("outcome"):
                self.read_from(each["outcome"]["height"])
        return admissions

    def finalize(self, submission: Submission, timeout_s: float = 30.0) -> Json:
        """Submits one transaction and waits until it is final; gives its outcome.

        Raises `ProblemError` if it was not admitted, `ConnectionFailed` if it is not final in time, which
        says nothing about what will become of it. A transaction that is final without effect is no error:
        see its receipt.
        """
        deadline = time.monotonic() + timeout_s
        admissions = self.submit([submission], **_waiting(timeout_s))
        if not admissions:
            raise FormError("the answer says nothing of the transaction")
        if admissions[0].get("problem"):
            raise ProblemError(admissions[0]["problem"])
        outcome: Json | None = admissions[0].get("outcome")
        while outcome is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise ConnectionFailed(f"the transaction is not final after {timeout_s} s")
            outcome = self.transaction(admissions[0]["id"], **_waiting(left_s)).get("outcome")
        self.read_from(outcome["height"])
        return outcome

    # What carries the requests.

    def _json(self, path: str, query: Json | None = None, **options: Any) -> Json:
        return parse(self._bytes(path, query, **options))

    def _bytes(self, path: str, query: Json | None = None, **options: Any) -> bytes:
        with self._open(path, query, **options) as answer:
            return read_all(answer)

    def _open(
        self, path: str, query: Json | None = None, *,
        body: bytes | None = None, headers: dict[str, str] | None = None, wait_s: float = 0.0,
        timeout_s: float | None = None,
        reads_own_writes: bool = True,
        acts: bool = False,
    ) -> http.client.HTTPResponse:
        parameters = {name.rstrip("_"): str(value).lower() if isinstance(value, bool) else value for name, value in (query or {}).items() if value is not None}
        url = self.url + path + (f"?{urllib.parse.urlencode(parameters)}" if parameters else "")
        request = urllib.request.Request(url, data=body, headers=headers or {})
        if self._token is not None:
            token = self._token(path, body or b"") if acts else self._token()
            request.add_header("authorization", f"Bearer {token}")
        if body is not None:
            request.add_header("content-type", "application/cbor")
        if self._own_height and reads_own_writes:
            request.add_header("althing-min-height", str(self._own_height))
        try:
            answer: http.client.HTTPResponse = self._opener.open(request, timeout=timeout_s or self._timeout_s + wait_s)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise refused(path, refusal) from None
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(f"the request to {url} failed: {error}; is the peer running, and is this its address?") from error
        height = answer.headers.get("althing-height", "")
        self.height = max(self.height, int(height) if height.isascii() and height.isdigit() else 0)
        return answer


def _segment(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _waiting(timeout_s: float) -> Json:
    return {"wait": "finalized", "timeout_ms": max(1, int(min(timeout_s, _WAIT_MAX_S) * 1000))}
