//! OffsetForLeaderEpoch (key 23): where a leader epoch ends, so that a consumer notices that the log it read was cut
//! since (KIP-320).

use base::LeaderEpoch;
use catalog::Catalog;
use wire::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
};

use crate::answer::{Handled, body, ready};
use crate::broker::Request;
use crate::code::Code;
use crate::leader_epoch;
use crate::partitions::partition;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let asked: OffsetForLeaderEpochRequest = body(request)?;
    let known = catalog.topics();
    let topics = asked
        .topics
        .into_iter()
        .map(|asked| {
            let topic = known.by_name(&asked.topic).ok_or(Code::UnknownTopicOrPartition);
            let partitions = asked
                .partitions
                .iter()
                .map(|asked| {
                    let found = topic.and_then(|topic| partition(catalog, topic, asked.partition)).and_then(
                        |partition| {
                            leader_epoch::check(&partition, LeaderEpoch(asked.current_leader_epoch))?;
                            Ok(leader_epoch::end_of(&partition, LeaderEpoch(asked.leader_epoch)))
                        },
                    );
                    end(asked, found)
                })
                .collect();
            OffsetForLeaderTopicResult { topic: asked.topic, partitions }
        })
        .collect();
    ready(
        &OffsetForLeaderEpochResponse { topics, ..OffsetForLeaderEpochResponse::default() },
        request.version(),
    )
}

fn end(asked: &OffsetForLeaderPartition, found: Result<(LeaderEpoch, base::Offset), Code>) -> EpochEndOffset {
    match found {
        Ok((epoch, offset)) => EpochEndOffset {
            error_code: Code::None.into(),
            partition: asked.partition,
            leader_epoch: epoch.0,
            end_offset: offset.0,
        },
        Err(code) => EpochEndOffset {
            error_code: code.into(),
            partition: asked.partition,
            ..EpochEndOffset::default()
        },
    }
}
