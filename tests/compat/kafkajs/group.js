// Two members share four partitions; one leaves, and the other takes over where it stopped.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, story, until, withAdmin, withProducer } = require('./telling')

const PARTITIONS = 4
const GROUP = 'sharing'

function places(records) {
  return records.map(({ partition, offset }) => `${partition}:${offset}`).sort()
}

function write(from, to) {
  const messages = []
  for (let number = from; number < to; number++) {
    messages.push({ value: `${number}`, partition: number % PARTITIONS })
  }
  return withProducer((producer) => producer.send({ topic: 'group', messages }))
}

// How many partitions a member was given in its newest round, or none.
function share(member) {
  const assigned = member.joined.at(-1)?.memberAssignment ?? {}
  return Object.values(assigned).flat().length
}

story(async () => {
  await createTopic('group', PARTITIONS)
  const first = await new Member(GROUP).start('group')
  const second = await new Member(GROUP).start('group')
  await until(() => share(first) === 2 && share(second) === 2, () => `shares of ${share(first)} and ${share(second)}`)
  await write(0, 400)
  const all = () => [...first.records, ...second.records]
  await until(() => all().length >= 400, () => `${all().length} records`)
  assert.equal(new Set(places(all())).size, 400, 'each was read')
  assert.equal(all().length, 400, 'and none twice')
  assert.deepEqual([first.records.length, second.records.length], [200, 200])

  // It commits as it leaves.
  await second.stop()
  await until(() => share(first) === PARTITIONS, () => `a share of ${share(first)}`)
  await write(400, 600)
  await until(() => all().length >= 600, () => `${all().length} records`)
  assert.equal(new Set(places(all())).size, 600)
  assert.equal(all().length, 600)
  await first.stop()

  const [{ partitions }] = await withAdmin((admin) => admin.fetchOffsets({ groupId: GROUP, topics: ['group'] }))
  assert.deepEqual(partitions.map(({ offset }) => offset).sort(), Array(PARTITIONS).fill('150'))
  // Whoever comes next begins there.
  const third = await new Member(GROUP).start('group')
  await write(600, 604)
  await until(() => third.records.length >= 4, () => `${third.records.length} records`)
  assert.deepEqual(places(third.records), ['0:150', '1:150', '2:150', '3:150'])
  await third.stop()
})
