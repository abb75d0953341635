// Records of every shape, idempotent, in each codec that kafkajs has, come back as they were sent.

'use strict'

const assert = require('node:assert/strict')
const { CompressionTypes, createTopic, readAll, story, withProducer } = require('./telling')

const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }

const SHAPES = [
  { key: 'key', value: 'value', headers: { one: 'a', two: ['b', 'c'] } },
  { key: null, value: 'no key' },
  { key: 'no value', value: null },
  { key: '', value: '' },
  { key: 'ö', value: 'ß'.repeat(50_000) },
]

story(async () => {
  for (const [codec, compression] of Object.entries(CODECS)) {
    const topic = `produce-${codec}`
    await createTopic(topic)
    const messages = SHAPES.map((shape) => ({ ...shape, partition: 0 }))
    await withProducer(async (producer) => {
      for (let round = 0; round < 3; round++) {
        const [where] = await producer.send({ topic, messages, compression })
        assert.deepEqual([where.partition, where.errorCode], [0, 0])
        assert.equal(Number(where.baseOffset), round * SHAPES.length)
      }
    })
    const records = await readAll(topic, 3 * SHAPES.length)
    for (const [at, record] of records.entries()) {
      const sent = SHAPES[at % SHAPES.length]
      assert.equal(record.offset, at)
      assert.equal(record.key === null ? null : record.key.toString(), sent.key)
      assert.equal(record.value === null ? null : record.value.toString(), sent.value)
      const headers = Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, [value].flat().map(String)]))
      const expected = Object.fromEntries(Object.entries(sent.headers ?? {}).map(([name, value]) => [name, [value].flat()]))
      assert.deepEqual(headers, expected)
    }
  }
})
