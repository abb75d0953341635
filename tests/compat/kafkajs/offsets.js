// An administrator looks at the offsets of a group and moves them.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, readAll, story, until, withAdmin, withProducer } = require('./telling')

const topic = 'offsets'
const groupId = 'moved'

story(async () => {
  await createTopic(topic, 2)
  const messages = Array.from({ length: 20 }, (_, number) => ({ value: `${number}`, partition: number % 2 }))
  await withProducer((producer) => producer.send({ topic, messages }))
  // Another group first: Kafka says that its coordinator is not there yet, and this client's administrator does not ask again.
  await readAll(topic, 20)

  await withAdmin(async (admin) => {
    const offsets = async () => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
      return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)
    }
    assert.deepEqual(await offsets(), ['-1', '-1'])
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '7' }, { partition: 1, offset: '9' }] })
    assert.deepEqual(await offsets(), ['7', '9'])

    const member = await new Member(groupId).start(topic, { autoCommit: false })
    await until(() => member.records.length >= 4)
    const read = member.records.map(({ partition, offset }) => `${partition}:${offset}`)
    assert.deepEqual(read.sort(), ['0:7', '0:8', '0:9', '1:9'])
    await member.consumer.commitOffsets([{ topic, partition: 0, offset: '8', metadata: 'by hand' }])
    // While it has members its offsets are its own.
    const held = { groupId, topic, partitions: [{ partition: 0, offset: '0' }] }
    await assert.rejects(admin.setOffsets(held), /must have no running instances/)
    await member.stop()
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const first = partitions.find(({ partition }) => partition === 0)
    assert.deepEqual([first.offset, first.metadata], ['8', 'by hand'])

    await admin.resetOffsets({ groupId, topic, earliest: true })
    assert.deepEqual(await offsets(), ['-2', '-2'])
    const [resolved] = await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true })
    assert.deepEqual(resolved.partitions.map(({ offset }) => offset), ['0', '0'])
  })
})
