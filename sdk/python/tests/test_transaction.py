"""Transactions: built from the inputs of the vectors and signed to the same bytes."""

import dataclasses
from typing import Any

import pytest
from althing import Signer, SigningKey, access, actions, contract, direct, governance, link, onboarding, regulation, secrecy, service, stake, token, trigger
from althing.cbor import WireError
from althing.crypto import PublicKey
from althing.digest import service_id, trigger_id
from althing.entity import AnyInception
from althing.genesis import Parameters, Participation
from althing.reading import BatchHeader
from althing.records import RecordForm
from althing.transaction import body_for, decode_transaction, sign
from conftest import vectors

VECTORS = vectors("transaction")


def _key(form: dict[str, Any]) -> PublicKey:
    return PublicKey(form["suite"], bytes.fromhex(form["key"]))


def resource_of(form: dict[str, Any]) -> access.Resource:
    """The resource that a vector describes."""
    ids = {name: bytes.fromhex(form[name]) for name in ("everything", "thing", "service", "contract") if name in form}
    if "property" in form:
        return access.Property(ids["thing"], form["property"])
    if "action" in form:
        return access.ThingAction(ids["thing"], form["action"])
    if "thing" in form:
        return access.WholeThing(ids["thing"])
    if "service" in form:
        return access.Service(ids["service"])
    if "contract" in form:
        return access.Contract(ids["contract"])
    return access.Everything(ids["everything"])


def action_of(form: dict[str, Any]) -> actions.Action:
    """The action that a vector describes."""
    ids = {name: bytes.fromhex(form[name]) for name in ("entity", "thing", "gateway", "pending", "proposal") if form.get(name)}
    match form["kind"]:
        case "register_entity":
            own = form["inception"]
            return actions.RegisterEntity(AnyInception(own["kind"], own["name"], _key(own)), bytes.fromhex(form["possession"]))
        case "rotate_key":
            return actions.RotateKey(ids["entity"], _key(form), bytes.fromhex(form["possession"]))
        case "revoke_entity":
            return actions.RevokeEntity(**ids)
        case "register_thing":
            return actions.RegisterThing(form["name"], form["description"].encode())
        case "update_thing":
            return actions.UpdateThing(ids["thing"], form["replaces"], form["description"].encode())
        case "bind":
            return actions.Bind(**ids, until_height=form["until_height"])
        case "unbind":
            return actions.Unbind(**ids)
        case "submit_batch":
            numbers: Any = {name: int(form[name]) for name in ("first_seq", "count", "time_min", "time_max", "min", "max", "sum", "payload_len")}
            digests: Any = {name: bytes.fromhex(form[name]) for name in ("stream", "payload_digest")}
            return actions.SubmitBatch(BatchHeader(**numbers, **digests))
        case "record":
            return actions.write_record(form["record_kind"], bytes.fromhex(form["data"]), form["notify"], form.get("link"))
        case "set_approval_policy":
            approvers = [bytes.fromhex(each) for each in form["approvers"]]
            return actions.SetApprovalPolicy(actions.ApprovalPolicy(form["action_kind"], form["threshold"], approvers, form["patience_blocks"]))
        case "approve":
            return actions.Approve(**ids)
        case "reject":
            return actions.Reject(**ids)
        case "retire_thing":
            return actions.RetireThing(**ids)
        case "set_access_policy":
            ask = bytes.fromhex(form["ask"]) if form["ask"] else None
            policy = access.AccessPolicy(
                resource_of(form["resource"]), form["mode"], form["text"], ask, form["patience_blocks"], form["grant_blocks_max"]
            )
            return actions.SetAccessPolicy(policy)
        case "remove_access_policy":
            return actions.RemoveAccessPolicy(resource_of(form["resource"]))
        case "request_access":
            request = access.AccessRequest(
                resource_of(form["resource"]), form["right"], form["purpose"], form["count_max"], form["until_height"]
            )
            return actions.RequestAccess(request)
        case "answer_access":
            return actions.AnswerAccess(bytes.fromhex(form["request"]), form["allow"])
        case "revoke_grant":
            return actions.RevokeGrant(bytes.fromhex(form["grant"]))
        case "use_grant":
            return actions.UseGrant(bytes.fromhex(form["grant"]))
        case "record_access":
            uses = [access.AccessUse(bytes.fromhex(use["grant"]), use["count"], use["first_ms"], use["last_ms"]) for use in form["uses"]]
            return actions.RecordAccess(uses)
        case "record_direct":
            return actions.RecordDirect([_direct_use(use) for use in form["uses"]])
        case "tag_thing":
            return actions.TagThing(direct.ThingTags(bytes.fromhex(form["thing"]), form["tags"]))
    return onboarding_of(form)


def _direct_use(form: dict[str, Any]) -> direct.DirectUse:
    ids = {name: bytes.fromhex(form[name]) for name in ("ledger", "gateway", "caller", "thing")}
    request = direct.DirectRequest(
        **ids, operation=_operation(form), purpose=form["purpose"], number=form["number"], until_ms=form["until_ms"]
    )
    assert request.id().hex() == form["id"]
    result = bytes.fromhex(form["result"]) if form["result"] else None
    signed = direct.SignedRequest(request, _key(form), bytes.fromhex(form["signature"]))
    return direct.DirectUse(signed, bytes.fromhex(form["grant"]), form["state"], form["served_ms"], result)


def onboarding_of(form: dict[str, Any]) -> actions.Action:
    """Actions by which things join, pass on, say how they are and are commanded."""
    ids = {
        name: bytes.fromhex(form[name]) for name in ("thing", "gateway", "owner", "root", "voucher", "command") if name in form
    }
    given = {name: bytes.fromhex(form[name]) if form.get(name) else None for name in ("result",)}
    match form["kind"]:
        case "offer_thing":
            return actions.OfferThing(ids["thing"], _offer(form["offer"]))
        case "accept_thing":
            claim = form["claim"]
            held = claim and onboarding.Claim(_key(claim["code"]), bytes.fromhex(claim["signature"]))
            return actions.AcceptThing(ids["thing"], held)
        case "limit_binding":
            return actions.LimitBinding(**ids, limit=onboarding.Limit(**form["limit"]))
        case "report_status":
            place = onboarding.Place(*form["place"])
            return actions.ReportStatus(ids["thing"], onboarding.Status(form["online"], form["firmware"], place))
        case "issue_voucher":
            description = form["description"].encode()
            return actions.IssueVoucher(onboarding.Voucher(**ids, count=form["count"], description=description))
        case "revoke_voucher":
            return actions.RevokeVoucher(**ids)
        case "join_by_voucher":
            own = form["inception"]
            inception = AnyInception(own["kind"], own["name"], _key(own))
            path = [bytes.fromhex(each) for each in form["path"]]
            return actions.JoinByVoucher(onboarding.Join(ids["voucher"], form["index"], inception, path))
        case "command":
            return actions.Command(onboarding.CommandForm(ids["thing"], _operation(form), form["until_ms"], form["purpose"]))
        case "report_command":
            return actions.ReportCommand(onboarding.CommandReport(ids["command"], form["state"], given["result"]))
        case "cancel_command":
            return actions.CancelCommand(**ids)
        case "quarantine":
            return actions.Quarantine(ids["thing"], form["reason"])
    return governance_of(form)


def governance_of(form: dict[str, Any]) -> actions.Action:
    """Actions by which members decide together."""
    match form["kind"]:
        case "propose":
            return actions.Propose(actions.Proposal(change_of(form), form["reason"]))
        case "vote":
            return actions.Vote(bytes.fromhex(form["proposal"]), form["accept"])
        case "enact":
            return actions.Enact(bytes.fromhex(form["proposal"]))
        case "withdraw_proposal":
            return actions.WithdrawProposal(bytes.fromhex(form["proposal"]))
    return contract_of(form)


def contract_of(form: dict[str, Any]) -> actions.Action:
    """Actions about code and contracts."""
    ids: Any = {name: bytes.fromhex(form[name]) for name in ("code", "contract") if form.get(name)}
    call: Any = {"message": bytes.fromhex(form["message"]), "gas_limit": form["gas_limit"]} if "message" in form else {}
    match form["kind"]:
        case "upload_code":
            return actions.UploadCode(**ids, part=form["part"], data=bytes.fromhex(form["bytes"]))
        case "store_code":
            return actions.StoreCode(**ids, parts=form["parts"], meta=contract.CodeMeta(**form["meta"]))
        case "remove_code":
            return actions.RemoveCode(**ids)
        case "instantiate":
            return actions.Instantiate(**ids, name=form["name"], terms=_terms(form["terms"]), **call)
        case "execute":
            return actions.Execute(**ids, **call, funds=int(form["funds"]) if "funds" in form else None)
        case "migrate":
            return actions.Migrate(**ids, **call)
        case "set_admin":
            return actions.SetAdmin(**ids, admin=bytes.fromhex(form["admin"]) if form["admin"] else None)
        case "freeze_contract":
            return actions.FreezeContract(**ids)
        case "thaw_contract":
            return actions.ThawContract(**ids)
        case "terminate_contract":
            return actions.TerminateContract(**ids)
        case "accept_contract":
            return actions.AcceptContract(**ids)
        case "decline_contract":
            return actions.DeclineContract(**ids)
        case "publish_service":
            return actions.PublishService(_manifest(form))
        case "set_service_status":
            return actions.SetServiceStatus(bytes.fromhex(form["service"]), service.Version.parse(form["version"]), form["status"])
        case "set_agreement_key":
            return actions.SetAgreementKey(bytes.fromhex(form["key"]))
        case "rotate_stream_key":
            return actions.RotateStreamKey(bytes.fromhex(form["stream"]), form["number"], form["cipher"], _shares(form))
        case "share_stream_key":
            return actions.ShareStreamKey(bytes.fromhex(form["stream"]), form["number"], _shares(form))
        case "place_stream":
            named = [bytes.fromhex(one) for one in form["organisations"]]
            placement = secrecy.Placement(named, form["copies"], form["retention_days"])
            return actions.PlaceStream(secrecy.StreamPlacement(bytes.fromhex(form["stream"]), placement))
        case "erase_readings":
            return actions.EraseReadings(bytes.fromhex(form["stream"]), form["first_seq"], form["last_seq"])
        case "confirm_erasure":
            return actions.ConfirmErasure(bytes.fromhex(form["stream"]), form["erasure"])
    if form["kind"] in ("set_trigger", "remove_trigger", "suspend_trigger", "resume_trigger"):
        return trigger_of(form)
    return token_of(form)


def token_of(form: dict[str, Any]) -> actions.Action:
    """Actions about tokens."""
    names = ("peer", "to", "payee", "arbiter", "escrow", "account", "entity", "stream", "reward")
    ids = {name: bytes.fromhex(form[name]) if form[name] else None for name in names if name in form}
    amounts = {name: int(form[name]) if form[name] else None for name in ("amount", "per_day", "total", "per_batch", "per_reading", "fund") if name in form}
    rest: Any = {name: form[name] for name in ("memo", "until_height") if name in form}
    given: Any = {**ids, **amounts, **rest}
    match form["kind"]:
        case "transfer":
            return actions.Transfer(token.TransferForm(**given))
        case "burn_tokens":
            return actions.BurnTokens(**given)
        case "open_escrow":
            return actions.OpenEscrow(token.Escrow(**given))
        case "release_escrow":
            return actions.ReleaseEscrow(**given)
        case "refund_escrow":
            return actions.RefundEscrow(**given)
        case "sweep_account":
            return actions.SweepAccount(**given)
        case "sponsor":
            return actions.Sponsor(token.Sponsorship(**given))
        case "end_sponsorship":
            return actions.EndSponsorship(**given)
        case "offer_reward":
            return actions.OfferReward(token.Reward(**given))
        case "fund_reward":
            return actions.FundReward(**given)
        case "end_reward":
            return actions.EndReward(**given)
        case "stake":
            own = form["seat"]
            seat = stake.StakedSeat(bytes.fromhex(own["key"]), own["address"], bytes.fromhex(own["possession"])) if own else None
            return actions.Stake(stake.StakeForm(**given, seat=seat))
        case "unstake":
            return actions.Unstake(**given)
        case "report_double_vote":
            votes = [
                stake.CastVote(cast["phase"], cast["parent_view"], bytes.fromhex(cast["block"]), bytes.fromhex(cast["signature"]))
                for cast in (form["first"], form["second"])
            ]
            return actions.ReportDoubleVote(stake.DoubleVote(bytes.fromhex(form["key"]), form["epoch"], form["view"], *votes))
        case "collect_stake":
            return actions.CollectStake(**given)
        case "register_link":
            return actions.RegisterLink(bytes.fromhex(form["genesis"]))
        case "advance_link":
            return actions.AdvanceLink(link.LinkAdvance(bytes.fromhex(form["link"]), bytes.fromhex(form["proof"])))
        case "report_fork":
            return actions.ReportFork(link.LinkFork(*(bytes.fromhex(form[part]) for part in ("link", "first", "second"))))
        case "set_link_status":
            return actions.SetLinkStatus(bytes.fromhex(form["link"]), form["status"])
        case "ask_ledger":
            paid = form["payment"]
            payment = link.CallPayment(bytes.fromhex(paid["payee"]), int(paid["amount"])) if paid else None
            ledger, service_id, request = (bytes.fromhex(form[part]) for part in ("ledger", "service", "request"))
            return actions.AskLedger(link.Call(ledger, service_id, form["deadline_ms"], form["grace_ms"], request, payment))
        case "take_call":
            return actions.TakeCall(bytes.fromhex(form["proof"]))
        case "answer_call":
            ledger, call, answer = (bytes.fromhex(form[part]) for part in ("ledger", "call", "answer"))
            return actions.AnswerCall(link.CallAnswer(ledger, call, form["accepted"], answer))
        case "settle_call":
            return actions.SettleCall(link.CallSettlement(bytes.fromhex(form["call"]), bytes.fromhex(form["proof"])))
        case "refund_call":
            return actions.RefundCall(bytes.fromhex(form["call"]))
    raise AssertionError(form["kind"])


def _shares(form: dict[str, Any]) -> list[secrecy.KeyShare]:
    return [secrecy.KeyShare(**{name: bytes.fromhex(digits) for name, digits in share.items()}) for share in form["shares"]]


def _manifest(form: dict[str, Any]) -> service.Manifest:
    charged = bytes.fromhex(form["contract"]) if form["contract"] else None
    offered: service.ByContract | service.Outside
    if form["entity"]:
        offered = service.Outside(bytes.fromhex(form["entity"]), form["endpoints"], charged)
    else:
        assert charged
        offered = service.ByContract(charged)
    return service.Manifest(
        name=form["name"],
        version=service.Version.parse(form["version"]),
        text=form["text"],
        interfaces=form["interfaces"],
        tags=form["tags"],
        schema=form["schema"].encode() if form["schema"] else None,
        offered=offered,
        purpose=form["purpose"],
        needs=[service.Need(**need) for need in form["needs"]],
        price=service.Price(form["price"], service.PriceRule(**form["price_rule"]) if form["price_rule"] else None),
        listing=form["listing"],
    )


def trigger_of(form: dict[str, Any]) -> actions.Action:
    """Actions about triggers."""
    match form["kind"]:
        case "set_trigger":
            return actions.SetTrigger(trigger.Trigger(form["name"], _cause(form["cause"]), _effect(form["effect"])))
        case "remove_trigger":
            return actions.RemoveTrigger(bytes.fromhex(form["trigger"]))
        case "suspend_trigger":
            return actions.SuspendTrigger(bytes.fromhex(form["trigger"]))
        case "resume_trigger":
            return actions.ResumeTrigger(bytes.fromhex(form["trigger"]))
    raise AssertionError(form["kind"])


def _cause(form: dict[str, Any]) -> trigger.Cause:
    ids = {name: bytes.fromhex(form[name]) for name in ("stream", "contract", "sender", "thing") if name in form}
    match form["kind"]:
        case "reading":
            return trigger.OnReading(**ids, relation=form["relation"], bound=form["bound"], for_ms=form["for_ms"])
        case "silence":
            return trigger.OnSilence(**ids, for_ms=form["for_ms"])
        case "time":
            return trigger.OnTime(form["first_ms"], form["every_ms"])
        case "contract":
            return trigger.OnContract(**ids, event=form["event"])
        case "recorded":
            return trigger.OnRecord(**ids, kind=form["record_kind"])
        case "commanded":
            return trigger.OnCommand(**ids, state=form["state"])
    raise AssertionError(form["kind"])


def _effect(form: dict[str, Any]) -> trigger.Effect:
    match form["kind"]:
        case "call":
            return trigger.CallContract(bytes.fromhex(form["contract"]), bytes.fromhex(form["message"]), form["gas_limit"])
        case "command":
            asked = _operation(form)
            return trigger.CommandThing(bytes.fromhex(form["thing"]), asked, form["life_ms"], form["purpose"])
        case "record":
            notify = [bytes.fromhex(each) for each in form["notify"]]
            link = bytes.fromhex(form["link"]) if form["link"] else None
            return trigger.WriteRecord(RecordForm(form["record_kind"], bytes.fromhex(form["data"]), notify, link))
    raise AssertionError(form["kind"])


def _operation(form: dict[str, Any]) -> onboarding.Read | onboarding.Write | onboarding.Invoke:
    match form["operation"]:
        case "read":
            return onboarding.Read(form["target"])
        case "write":
            return onboarding.Write(form["target"], form["number"])
        case "invoke":
            return onboarding.Invoke(form["target"], bytes.fromhex(form["input"]) if form["input"] else None)
    raise AssertionError(form["operation"])


def _terms(form: dict[str, Any]) -> contract.Terms:
    admin = bytes.fromhex(form["admin"]) if form["admin"] else None
    participants, callers = ([bytes.fromhex(each) for each in form[name]] for name in ("participants", "callers"))
    return contract.Terms(admin, participants, form["threshold"], form["patience_blocks"], callers)


def change_of(form: dict[str, Any]) -> governance.Change:
    """The change that a vector describes."""
    ids = {name: bytes.fromhex(form[name]) for name in ("organisation", "peer") if name in form}
    match form["change"]:
        case "add_organisation":
            own = form["inception"]
            return governance.AddOrganisation(AnyInception(own["kind"], own["name"], _key(own)), bytes.fromhex(form["possession"]))
        case "remove_organisation":
            return governance.RemoveOrganisation(**ids)
        case "add_peer":
            return governance.AddPeer(governance.Seat(**ids, key=bytes.fromhex(form["vote_key"]), address=form["address"]))
        case "remove_peer":
            return governance.RemovePeer(**ids)
        case "rotate_voting_key":
            return governance.RotateVotingKey(**ids, key=bytes.fromhex(form["vote_key"]))
        case "set_parameters":
            fields = {name: form[name] for name in Parameters.__dataclass_fields__ if name in form}
            if "fees" in form:
                fields["fees"] = token.Fees(**form["fees"])
            if "participation" in form:
                fields["participation"] = Participation(**form["participation"])
            return governance.SetParameters(Parameters(**fields, reads="open"))
        case "mint_tokens":
            return governance.MintTokens(bytes.fromhex(form["to"]), int(form["amount"]))
        case "set_regulation":
            said = dict(form["regulation"])
            names = regulation.Demands.__dataclass_fields__
            given = {name: said.pop(name) for name in names}
            demands = regulation.Demands(**{**given, "holders": [bytes.fromhex(each) for each in given["holders"]]})
            return governance.SetRegulation(regulation.Regulation(**said, demands=demands))
        case "end_regulation":
            return governance.EndRegulation(form["id"])
        case "freeze_account":
            return governance.FreezeAccount(bytes.fromhex(form["account"]), form["frozen"])
        case "set_mechanism":
            return governance.SetMechanism(governance.MechanismFrom(form["mechanism"], form["from_height"]))
        case "set_voting_rule":
            return governance.SetVotingRule(governance.VotingRule(**{name: form[name] for name in governance.VotingRule.__dataclass_fields__}))
    raise AssertionError(form["change"])


def _offer(form: dict[str, Any] | None) -> onboarding.Offer | None:
    if form is None:
        return None
    to = onboarding.ToEntity(bytes.fromhex(form["to"])) if "to" in form else onboarding.ToCode(_key(form["code"]))
    return onboarding.Offer(to, form["until_height"])


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_signed_to_the_same_bytes(vector: dict[str, Any]) -> None:
    inputs = vector["inputs"]
    ledger = bytes.fromhex(inputs["ledger"])
    signers = [(bytes.fromhex(each["signer"]), SigningKey(each["suite"], bytes.fromhex(each["secret"]))) for each in inputs["signers"]]
    done = [action_of(each) for each in inputs["actions"]]
    body = body_for(ledger, bytes.fromhex(inputs["sender"]), int(inputs["nonce"]), int(inputs["expiry_height"]), done)
    transaction = sign(ledger, body, signers[0][1], signers[1:])
    assert (transaction.wire.hex(), transaction.id.hex()) == (vector["wire"], vector["id"])
    for index, (_, key) in enumerate(signers):
        message = transaction.signed_bytes(ledger, index)
        assert message.hex() == inputs["signers"][index]["signed"]
        assert key.public_key.verify(message, transaction.signatures[index].signature)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_nothing_cut_off_or_added_is_read(vector: dict[str, Any]) -> None:
    wire = bytes.fromhex(vector["wire"])
    assert decode_transaction(wire).wire == wire
    for wrong in [*(wire[:length] for length in range(len(wire))), wire + b"\0"]:
        with pytest.raises(WireError):
            decode_transaction(wrong)


def test_what_a_peer_would_refuse_is_refused_before_it_is_sent() -> None:
    key = SigningKey("ed25519", bytes([7]) * 32)
    entity, _ = actions.register_entity(bytes(32), "organisation", "A", key)
    signer, record = Signer(bytes(32), entity, key), actions.write_record("note", b"1")
    policy = actions.SetApprovalPolicy(actions.ApprovalPolicy("bind", 2, [entity], 5))
    wrong: list[list[actions.Action]] = [
        [],
        [record] * 65,
        [actions.write_record("", b"1")],
        [actions.write_record("a\nb", b"1")],
        [actions.write_record("note", bytes(16_385))],
        [actions.RegisterThing("x" * 65, b"{}")],
        [actions.RegisterThing("x", b"")],
        [policy],
    ]
    for each in wrong:
        with pytest.raises(WireError):
            signer.sign(0, 10, each)
    assert signer.sign(0, 10, [record]).body.nonce == 0


YEAR_MS = 366 * 24 * 3_600_000
MONTH_MS = 30 * 24 * 3_600_000
GAS_MAX = 100_000_000_000
ID = bytes(32)
READING = trigger.OnReading(ID, ">", 8, 0)
NOTE = trigger.WriteRecord(RecordForm("note", b"1", [], None))


def _command(life_ms: int, action: str, purpose: str | None = None) -> trigger.CommandThing:
    return trigger.CommandThing(ID, onboarding.Invoke(action, None), life_ms, purpose)


@pytest.mark.parametrize(
    ("fits", "cause", "effect"),
    [
        (True, trigger.OnReading(ID, ">", 8, YEAR_MS), NOTE),
        (False, trigger.OnReading(ID, ">", 8, YEAR_MS + 1), NOTE),
        (True, trigger.OnSilence(ID, 1), NOTE),
        (False, trigger.OnSilence(ID, 0), NOTE),
        (False, trigger.OnSilence(ID, YEAR_MS + 1), NOTE),
        (True, trigger.OnTime(0, YEAR_MS), NOTE),
        (False, trigger.OnTime(0, YEAR_MS + 1), NOTE),
        (False, trigger.OnContract(ID, ""), NOTE),
        (False, trigger.OnRecord(ID, "a\nb"), NOTE),
        (True, READING, trigger.CallContract(ID, b"{}", GAS_MAX)),
        (False, READING, trigger.CallContract(ID, b"{}", GAS_MAX + 1)),
        (False, READING, trigger.CallContract(ID, b"{}", 0)),
        (False, READING, trigger.CallContract(ID, b"", 1)),
        (True, READING, _command(MONTH_MS, "on", "comfort")),
        (False, READING, _command(MONTH_MS + 1, "on")),
        (False, READING, _command(0, "on")),
        (False, READING, _command(1, "")),
        (False, READING, _command(1, "on", "")),
        (False, READING, trigger.WriteRecord(RecordForm("note", bytes(16_385), [], None))),
        (False, READING, trigger.WriteRecord(RecordForm("note", b"1", [ID] * 17, None))),
    ],
)
def test_a_trigger_is_sent_only_within_its_bounds(fits: bool, cause: trigger.Cause, effect: trigger.Effect) -> None:
    signer = Signer(ID, ID, SigningKey("ed25519", bytes([7]) * 32))
    done = actions.SetTrigger(trigger.Trigger("x", cause, effect))
    assert actions.is_within_bounds(done) is fits
    assert not actions.is_within_bounds(actions.SetTrigger(trigger.Trigger("", cause, effect)))
    if fits:
        wire = signer.sign(0, 10, [done]).wire
        assert decode_transaction(wire).body.actions == [done]
        assert done.trigger.to_bytes() in wire
    else:
        with pytest.raises(WireError):
            signer.sign(0, 10, [done])


def test_a_trigger_has_the_id_that_follows_from_its_owner_and_name() -> None:
    expected = "9219f0240803083b7d58ff9af92830de2d61d5f88c7bcc520562412cfcd14be2"
    assert trigger_id(bytes([14]) * 32, "cool").hex() == expected


GOOD = service.Manifest(
    name="forecast",
    version=service.Version(1, 0, 0),
    text="What it will be\ntomorrow",
    interfaces=["a", "b"],
    tags=[],
    schema=None,
    offered=service.Outside(ID, ["https://forecast.example"], None),
    purpose="forecast",
    needs=[],
    price=service.Price("", None),
    listing="everyone",
)


@pytest.mark.parametrize(
    ("fits", "change"),
    [
        (True, {}),
        (False, {"name": ""}),
        (False, {"text": ""}),
        (False, {"text": "a\tb"}),
        (True, {"text": "x" * 1024}),
        (False, {"text": "x" * 1025}),
        (False, {"interfaces": ["b", "a"]}),
        (False, {"interfaces": ["a", "a"]}),
        (False, {"tags": [chr(97 + n) for n in range(17)]}),
        (True, {"schema": bytes(8192)}),
        (False, {"schema": bytes(8193)}),
        (False, {"schema": b""}),
        (True, {"offered": service.ByContract(ID)}),
        (False, {"offered": service.Outside(ID, [], None)}),
        (False, {"offered": service.Outside(ID, ["https://"], None)}),
        (False, {"offered": service.Outside(ID, ["ftp://x"], None)}),
        (False, {"offered": service.Outside(ID, ["http://a b"], None)}),
        (False, {"offered": service.Outside(ID, ["http://" + "x" * 250], None)}),
        (False, {"offered": service.Outside(ID, ["http://a"] * 5, None)}),
        (False, {"purpose": ""}),
        (False, {"needs": [service.Need("read", "x")] * 17}),
        (False, {"needs": [service.Need("read", "")]}),
        (False, {"price": service.Price("x" * 257, None)}),
        (False, {"price": service.Price("", service.PriceRule(1, "", "call"))}),
    ],
)
def test_a_manifest_is_sent_only_within_its_bounds(fits: bool, change: dict[str, Any]) -> None:
    assert actions.is_within_bounds(actions.PublishService(dataclasses.replace(GOOD, **change))) == fits


def test_a_service_has_the_id_that_follows_from_its_provider_and_name() -> None:
    expected = "502cf5b0626c1b242368fdefbe3e744ca6fdf5bd14e0d15f5729ed871f446629"
    assert service_id(bytes([14]) * 32, "forecast").hex() == expected


def test_a_version_is_three_numbers() -> None:
    assert service.Version.parse("1.9.0") < service.Version.parse("1.10.0")
    for wrong in ("", "1.0", "01.0.0", "1.0.0-a", "1.0.4294967296"):
        with pytest.raises(ValueError, match="no version"):
            service.Version.parse(wrong)
