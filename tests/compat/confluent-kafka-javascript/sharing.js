// Two members share four partitions; one leaves, and the other takes over where it stopped.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, until, withAdmin, withProducer } = require('./telling')

const PARTITIONS = 4
const topic = 'sharing'
const groupId = 'sharing'

function places(records) {
  return records.map(({ partition, offset }) => `${partition}:${offset}`).sort()
}

function write(from, to) {
  const messages = []
  for (let number = from; number < to; number++) {
    messages.push({ value: `${number}`, partition: number % PARTITIONS })
  }
  return withProducer((producer) => producer.send({ topic, messages }))
}

// With these settings of its members, which choose the protocol.
module.exports = async function sharing(settings) {
  await createTopic(topic, PARTITIONS)
  const first = await new Member(groupId, settings).start(topic)
  const second = await new Member(groupId, settings).start(topic)
  const shares = () => `shares of ${first.share()} and ${second.share()}`
  await until(() => first.share() === 2 && second.share() === 2, shares)
  await write(0, 400)
  const all = () => [...first.records, ...second.records]
  await until(() => all().length >= 400, () => `${all().length} records`)
  assert.equal(new Set(places(all())).size, 400, 'each was read')
  assert.equal(all().length, 400, 'and none twice')
  assert.deepEqual([first.records.length, second.records.length], [200, 200])

  // It commits as it leaves.
  await second.stop()
  await until(() => first.share() === PARTITIONS, () => `a share of ${first.share()}`)
  await write(400, 600)
  await until(() => all().length >= 600, () => `${all().length} records`)
  assert.equal(new Set(places(all())).size, 600)
  assert.equal(all().length, 600)
  await first.stop()

  const [{ partitions }] = await withAdmin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }))
  assert.deepEqual(partitions.map(({ offset }) => Number(offset)), Array(PARTITIONS).fill(150))
}
