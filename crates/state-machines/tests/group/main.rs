//! Stories about groups and offsets, told as text: `tests/scenarios/group/*.txt`.
//!
//! How a story is told: `story/mod.rs`. A client is a name; what it is told (member id, generation, who leads) it remembers and
//! sends along, unless an option says otherwise. Its `client.id` is its name, and `a-1` stands for `a-<uuid 1>`. After each command
//! the log is replayed into groups of their own, and what is stored there compared.
//!
//! | command | |
//! | --- | --- |
//! | `set max-size=2 ...` | settings; groups begin anew |
//! | `join a [v=9] [id=-] [instance=i] [protocols=range,sticky] [topics=t] [has=t:0,1] [raw=bytes] [session=ms] [rebalance=ms] [type=consumer]` | JoinGroup; `id=-`: without a member id |
//! | `sync a [b=x]... [gen=1] [protocol=range] [type=consumer]` | SyncGroup, with assignments if the client leads; `t:0,1+u:0` is written as consumers do |
//! | `beat a [gen=1]` | Heartbeat |
//! | `leave a b instance:i` | LeaveGroup |
//! | `forget a` | the client loses what it was told, as after a restart |
//! | `commit a t-0=5 [v=9] [gen=-1] [metadata=text] [retention=ms] [topic-id=7]` | OffsetCommit; `commit -` by nobody's member |
//! | `fetch [stable] [topic-id=7] [as=a] [epoch=1] t-0 t-1` | OffsetFetch, of all partitions if none is named |
//! | `delete-offsets t-0` / `delete-groups g h` | OffsetDelete, DeleteGroups |
//! | `topic-deleted t` | |
//! | `transaction 7 t-0=5` / `end 7 commit` | what stands in the log of a transaction |
//! | `topic t=3` | a topic of 3 partitions comes, or grows to them |
//! | `consume a [epoch=0] [topics=t,u] [regex=x] [has=t:0,1+u:0] [instance=i] [assignor=range] [rack=r] [rebalance=ms] [v=1] [no-id]` | ConsumerGroupHeartbeat, in the client's epoch; who joins wants the topic `t` unless told otherwise, and holds nothing. `has=-`: holds nothing |
//! | `override [session=ms] [interval=ms]` | what the group has of its own in place of the broker's settings |
//! | `describe [g]` / `list [states=a,b] [types=a,b]` | DescribeGroups or ConsumerGroupDescribe, ListGroups |
//! | `wait 3000` | time goes by, and what is due is done when it is due |
//! | `restart` | the log is read anew |
//!
//! Each takes `group=g`; without it the group is `g`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../story/mod.rs"]
mod story;

mod consumer_words;
mod stage;
mod words;

#[test]
fn stories() {
    story::retell_all::<stage::Groups>("group");
}
