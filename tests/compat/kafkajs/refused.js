// What the broker refuses comes back under Kafka's names.

'use strict'

const assert = require('node:assert/strict')
const { createTopic, story, withAdmin, withProducer } = require('./telling')

story(async () => {
  await createTopic('small', 1, [{ name: 'max.message.bytes', value: '100' }])
  await withProducer(async (producer) => {
    const messages = [{ value: 'x'.repeat(1000) }]
    await assert.rejects(producer.send({ topic: 'small', messages }), { type: 'MESSAGE_TOO_LARGE' })
  })
  await withAdmin(async (admin) => {
    const several = [{ topic: 'several', numPartitions: 1, replicationFactor: 3 }]
    const refused = (errors) => (failure) => {
      const found = (failure.errors ?? [failure]).map((error) => error.type)
      assert.deepEqual(found, errors)
      return true
    }
    await assert.rejects(admin.createTopics({ topics: several }), refused(['INVALID_REPLICATION_FACTOR']))
    const badName = [{ topic: 'no name', numPartitions: 1, replicationFactor: 1 }]
    await assert.rejects(admin.createTopics({ topics: badName }), refused(['INVALID_TOPIC_EXCEPTION']))
    const badConfig = [{ topic: 'bad', configEntries: [{ name: 'retention.ms', value: 'soon' }] }]
    await assert.rejects(admin.createTopics({ topics: badConfig }), refused(['INVALID_CONFIG']))
    const fewer = { topicPartitions: [{ topic: 'small', count: 1 }] }
    await assert.rejects(admin.createPartitions(fewer), { type: 'INVALID_PARTITIONS' })
    // There is no authorizer.
    const acl = { resourceName: 'x', resourceType: 2, resourcePatternType: 3, principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
    await assert.rejects(admin.createAcls({ acl: [acl] }), { type: 'SECURITY_DISABLED' })
  })
})
