// An administrator makes topics, lets them grow, cuts their beginning off and removes them.

'use strict'

const assert = require('node:assert/strict')
const { readAll, story, until, withAdmin, withProducer } = require('./telling')

story(() =>
  withAdmin(async (admin) => {
    const one = { topic: 'one', numPartitions: 3, replicationFactor: 1 }
    const two = { topic: 'two', replicaAssignment: [{ partition: 0, replicas: [1] }, { partition: 1, replicas: [1] }] }
    assert.equal(await admin.createTopics({ topics: [one], validateOnly: true, waitForLeaders: false }), true)
    assert.deepEqual(await admin.listTopics(), [], 'that was only a question')
    assert.equal(await admin.createTopics({ topics: [one, two] }), true)
    assert.equal(await admin.createTopics({ topics: [one] }), false, 'it is there already')
    assert.deepEqual((await admin.listTopics()).sort(), ['one', 'two'])

    const partitions = async (topic) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0].partitions.map(({ partitionId, leader, replicas, isr }) => [partitionId, leader, replicas, isr]).sort()
    }
    const on = (count) => Array.from({ length: count }, (_, id) => [id, 1, [1], [1]])
    assert.deepEqual(await partitions('one'), on(3))
    assert.deepEqual(await partitions('two'), on(2))
    await admin.createPartitions({ topicPartitions: [{ topic: 'two', count: 4 }] })
    assert.deepEqual(await partitions('two'), on(4))

    const messages = Array.from({ length: 10 }, (_, number) => ({ value: `${number}`, partition: 3 }))
    await withProducer((producer) => producer.send({ topic: 'two', messages }))
    await admin.deleteTopicRecords({ topic: 'two', partitions: [{ partition: 3, offset: '4' }] })
    const marks = (await admin.fetchTopicOffsets('two')).find(({ partition }) => partition === 3)
    assert.deepEqual(marks, { partition: 3, offset: '10', high: '10', low: '4' })
    assert.deepEqual((await readAll('two', 6)).map(({ value }) => value.toString()), ['4', '5', '6', '7', '8', '9'])

    assert.deepEqual(await admin.listPartitionReassignments({}), { topics: [] })
    await admin.deleteTopics({ topics: ['one', 'two'] })
    await until(async () => !(await admin.listTopics()).some((topic) => ['one', 'two'].includes(topic)))
  })
)
