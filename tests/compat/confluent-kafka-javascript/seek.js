// A reader jumps back and forth, and finds a place by its time.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, story, until, withAdmin, withProducer } = require('./telling')

const topic = 'seek'
const COUNT = 100

story(async () => {
  await createTopic(topic)
  const start = 1_700_000_000_000
  const messages = Array.from({ length: COUNT }, (_, number) => ({ value: `${number}`, timestamp: `${start + 1000 * number}` }))
  await withProducer((producer) => producer.send({ topic, messages }))
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
  await member.stop()

  const at = (time) => withAdmin((admin) => admin.fetchTopicOffsetsByTimestamp(topic, time))
  assert.deepEqual((await at(start + 30_500)).map(({ offset }) => offset), ['31'])
})
