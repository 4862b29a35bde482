//! Offers, limits, status, vouchers and commands.

use althing_client::model::{
    self, BindingLimit, Command, DirectUse, Hex, Key, Operation, Place, ThingReport, ThingStatus,
    Voucher,
};
use althing_peer::query::{CommandAt, StatusRecord, VoucherRecord};
use althing_types::{self as types, Digest, StreamId, ThingId, VoucherId, decimal};

use super::stream::value_text;
use crate::service::Service;

/// Decimal places of a coordinate.
const PLACE_SCALE: u8 = 7;

impl Service {
    pub(crate) fn offer(&self, offer: &types::Offer) -> model::Offer {
        let (to, code_key) = match &offer.to {
            types::OfferTo::Entity(to) => (Some(self.did(to)), None),
            types::OfferTo::Code(key) => (None, Some(Key::from(key))),
        };
        model::Offer { to, code_key, until_height: offer.until_height }
    }

    pub(crate) fn thing_status(&self, record: &StatusRecord) -> ThingStatus {
        let status = types::Status {
            online: record.online,
            firmware: record.firmware.clone(),
            place: record.place,
        };
        ThingStatus {
            known: thing_report(&status),
            online_since: record.online.map(|_| record.online_since_ms.into()),
            reported: record.reported_ms.into(),
            reporter: self.did(&record.reporter),
        }
    }

    pub(crate) fn voucher(&self, id: &VoucherId, record: &VoucherRecord) -> Voucher {
        Voucher {
            id: voucher_hex(id),
            maker: self.did(&record.maker),
            owner: self.did(&record.owner),
            root: Hex(record.root),
            count: record.count,
            description_digest: Hex(record.description_digest),
            issued: record.issued_height,
            active: record.revoked.is_none(),
        }
    }

    /// What a command asks for. A number is written at the scale that its stream has now, or as a
    /// mantissa if the stream is gone.
    pub(crate) fn operation(&self, thing: &ThingId, operation: &types::Operation) -> Operation {
        let (value, input) = match operation {
            types::Operation::Read { .. } => (None, None),
            types::Operation::Write { property, value } => {
                let head = self.query.stream_head(&StreamId::derive(thing, property));
                (Some(value_text(value, head.map_or(0, |head| head.schema.scale))), None)
            }
            types::Operation::Invoke { input, .. } => (None, text(input.as_deref())),
        };
        let name = operation.target().to_owned();
        Operation { operation: operation.verb().to_owned(), name, value, input }
    }

    /// What was asked directly, and what came of it.
    pub(crate) fn direct_use(&self, one: &types::DirectUse) -> DirectUse {
        let request = &one.request.request;
        DirectUse {
            id: Hex(request.id()),
            caller: self.did(&request.caller),
            thing: self.thing_did(&request.thing),
            operation: self.operation(&request.thing, &request.operation),
            purpose: request.purpose.clone(),
            number: request.number,
            grant: Hex(one.grant),
            state: one.state.name().to_owned(),
            served: one.served_ms.into(),
            result: one.result.map(Hex),
        }
    }

    pub(crate) fn command(&self, CommandAt { id, record }: &CommandAt) -> Command {
        Command {
            id: Hex(*id),
            thing: self.thing_did(&record.command.thing),
            sender: self.did(&record.sender),
            operation: self.operation(&record.command.thing, &record.command.operation),
            purpose: record.command.purpose.clone(),
            state: record.state.name().to_owned(),
            queued: record.queued_ms.into(),
            until: record.command.until_ms.into(),
            changed: record.changed_ms.into(),
            changed_by: Hex(record.changed_by),
            reporter: self.did(&record.reporter),
            result: text(record.result.as_deref()),
        }
    }
}

/// Bytes as text; what is no UTF-8 is replaced.
pub(crate) fn text<B: AsRef<[u8]> + ?Sized>(bytes: Option<&B>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes.as_ref()).into_owned())
}

pub(crate) const fn voucher_hex(id: &VoucherId) -> Hex<Digest> {
    Hex(Digest(id.0))
}

pub(crate) fn limit(limit: &types::Limit) -> BindingLimit {
    BindingLimit { properties: limit.properties.clone(), commands: limit.commands }
}

pub(crate) fn thing_report(status: &types::Status) -> ThingReport {
    ThingReport {
        online: status.online,
        firmware: status.firmware.clone(),
        place: status.place.map(|place| Place {
            latitude: decimal::to_text(place.latitude_e7, PLACE_SCALE),
            longitude: decimal::to_text(place.longitude_e7, PLACE_SCALE),
        }),
    }
}

/// Degrees as they are written, in 10^-7.
pub(crate) fn degrees_e7(text: &str) -> Option<i64> {
    decimal::parse(text.trim(), PLACE_SCALE, false).ok()
}
