// The broker is killed again and again under an idempotent producer and a reader: every record is there once, in order.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, killBroker, readAll, story, until, withProducer } = require('./telling')

const topic = 'killed'
const ROUNDS = 4
const EACH = 100

story(async () => {
  await createTopic(topic)
  const member = await new Member('reading-along', { retry: { initialRetryTime: 50, maxRetryTime: 2000, retries: 40 } }).start(topic)
  const written = []
  await withProducer(async (producer) => {
    let going = true
    const write = async () => {
      while (going) {
        const value = `${written.length}`
        // One after the other: kafkajs gives the sequence numbers of a request that failed to whichever comes next.
        const [{ baseOffset }] = await producer.send({ topic, messages: [{ value }] })
        assert.equal(Number(baseOffset), written.length)
        written.push(value)
      }
    }
    const writing = write()
    writing.catch(() => {})
    for (let round = 1; round <= ROUNDS; round++) {
      await Promise.race([until(() => written.length >= round * EACH, () => `${written.length} records`), writing])
      await killBroker()
    }
    await until(() => written.length >= (ROUNDS + 1) * EACH)
    going = false
    await writing
  })
  const values = (records) => records.map(({ value }) => value.toString())
  assert.deepEqual(values(await readAll(topic, written.length)), written)

  // The reader may see again what it had not committed, but leaves nothing out.
  await until(() => new Set(values(member.records)).size === written.length, () => `${member.records.length} records; ${member.crash}`)
  assert.equal(member.records.at(-1).offset, written.length - 1)
  await member.stop()
})
