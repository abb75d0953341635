// A reader jumps back and forth, rests, and goes on.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, story, until, withAdmin, withProducer } = require('./telling')

const topic = 'seek'
const COUNT = 100

story(async () => {
  await createTopic(topic)
  const start = 1_700_000_000_000
  await withProducer(async (producer) => {
    for (let number = 0; number < COUNT; number++) {
      await producer.send({ topic, messages: [{ value: `${number}`, timestamp: `${start + 1000 * number}` }] })
    }
  })
  const member = await new Member('seeking').start(topic)
  const values = () => member.records.map(({ value }) => Number(value.toString()))
  const from = (number) => Array.from({ length: COUNT - number }, (_, at) => number + at)
  await until(() => values().length >= COUNT)
  assert.deepEqual(values(), from(0))

  for (const offset of [40, 99, 0]) {
    member.records.length = 0
    member.consumer.seek({ topic, partition: 0, offset: `${offset}` })
    await until(() => values().at(-1) === COUNT - 1 && values()[0] === offset, () => `${values()}`)
    assert.deepEqual(values(), from(offset))
  }

  // By time: the first record that is no older.
  const at = await withAdmin((admin) => admin.fetchTopicOffsetsByTimestamp(topic, start + 30_500))
  assert.deepEqual(at, [{ partition: 0, offset: '31' }])
  const late = await withAdmin((admin) => admin.fetchTopicOffsetsByTimestamp(topic, start + 1_000_000))
  assert.deepEqual(late, [{ partition: 0, offset: '100' }], 'beyond the last one: the end')

  member.consumer.pause([{ topic }])
  member.records.length = 0
  await withProducer((producer) => producer.send({ topic, messages: [{ value: '100' }] }))
  const high = async () => (await withAdmin((admin) => admin.fetchTopicOffsets(topic)))[0].high
  assert.equal(await high(), '101')
  assert.deepEqual(values(), [])
  member.consumer.resume([{ topic }])
  await until(() => values().length > 0)
  assert.deepEqual(values(), [100])
  await member.stop()
})
