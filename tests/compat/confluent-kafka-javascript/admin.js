// An administrator makes topics, cuts their beginning off, looks at groups, and removes all of it.

'use strict'

const assert = require('node:assert/strict')
const { Member, createTopic, story, until, withAdmin, withProducer } = require('./telling')

const topic = 'admin'
const groupId = 'looked-at'

story(async () => {
  await createTopic(topic, 2)
  const messages = Array.from({ length: 10 }, (_, number) => ({ value: `${number}`, partition: 1 }))
  await withProducer((producer) => producer.send({ topic, messages }))
  await withAdmin(async (admin) => {
    const again = { topics: [{ topic, numPartitions: 1 }] }
    assert.equal(await admin.createTopics(again), false, 'it is there already')
    const several = { topics: [{ topic: 'several', numPartitions: 1, replicationFactor: 3 }] }
    await assert.rejects(admin.createTopics(several))
    assert.deepEqual(await admin.listTopics(), [topic])
    const [{ partitions }] = await admin.fetchTopicMetadata({ topics: [topic] })
    assert.deepEqual(partitions.map(({ partitionId, leader }) => [partitionId, leader]), [[0, 1], [1, 1]])

    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '4' }] })
    const marks = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 1)
    assert.deepEqual([Number(marks.low), Number(marks.high)], [4, 10])

    const member = await new Member(groupId).start(topic)
    await until(() => member.records.length >= 6)
    assert.deepEqual(member.records.map(({ value }) => value.toString()), ['4', '5', '6', '7', '8', '9'])
    const described = async () => (await admin.describeGroups([groupId])).groups[0]
    const { members, protocolType } = await described()
    assert.deepEqual([members.length, members[0].clientId, protocolType], [1, 'story', 'consumer'])
    const { groups } = await admin.listGroups()
    assert.ok(groups.some((group) => group.groupId === groupId))
    await member.stop()

    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] })
    assert.equal(Number(offsets.partitions.find(({ partition }) => partition === 1).offset), 10)
    await admin.deleteGroups([groupId])
    assert.ok(!(await admin.listGroups()).groups.some((group) => group.groupId === groupId))
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic))
  })
})
