// The broker is killed again and again under an idempotent producer and a reader: every record is there once, in order.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, killBroker, readAll, story, until, withProducer } = require('./telling')

const topic = 'killed'
const ROUNDS = 4
const EACH = 100
// So many records wait for their acknowledgement at any time.
const AT_ONCE = 20

story(async () => {
  await createTopic(topic)
  const member = await new Member('reading-along').start(topic)
  let sent = 0
  let acknowledged = 0
  let going = true
  await withProducer(async (producer) => {
    const write = async () => {
      while (going) {
        const value = `${sent++}`
        const [{ baseOffset }] = await producer.send({ topic, messages: [{ value }] })
        assert.equal(Number(baseOffset), Number(value))
        acknowledged++
      }
    }
    const writing = Promise.all(Array.from({ length: AT_ONCE }, write))
    writing.catch(() => {})
    for (let round = 1; round <= ROUNDS; round++) {
      await Promise.race([until(() => acknowledged >= round * EACH, () => `${acknowledged} records`), writing])
      await killBroker()
    }
    await until(() => acknowledged >= (ROUNDS + 1) * EACH)
    going = false
    await writing
  })
  assert.equal(acknowledged, sent)
  const written = Array.from({ length: sent }, (_, number) => `${number}`)
  const values = (records) => records.map(({ value }) => value.toString())
  assert.deepEqual(values(await readAll(topic, sent)), written)

  // The reader may see again what it had not committed, but leaves nothing out.
  await until(() => new Set(values(member.records)).size === sent, () => `${member.records.length} records`)
  await member.stop()
})
