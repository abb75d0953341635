// An administrator asks for settings and changes them; the change is felt.

'use strict'

const assert = require('node:assert/strict')
const { ConfigResourceTypes, ConfigSource } = require('kafkajs')
const { createTopic, story, withAdmin, withProducer } = require('./telling')

story(async () => {
  await createTopic('configs', 1, [{ name: 'retention.ms', value: '3600000' }])
  const type = ConfigResourceTypes.TOPIC
  await withAdmin(async (admin) => {
    const ask = async (configNames) => {
      const resources = [{ type, name: 'configs', configNames }]
      const { resources: answers } = await admin.describeConfigs({ resources, includeSynonyms: true })
      assert.equal(answers[0].errorCode, 0)
      return Object.fromEntries(answers[0].configEntries.map((entry) => [entry.configName, entry]))
    }
    const before = await ask(['retention.ms', 'cleanup.policy'])
    assert.deepEqual(Object.keys(before).sort(), ['cleanup.policy', 'retention.ms'])
    const { configValue, configSource } = before['retention.ms']
    assert.deepEqual([configValue, configSource], ['3600000', ConfigSource.TOPIC_CONFIG])
    assert.equal(before['cleanup.policy'].configSource, ConfigSource.DEFAULT_CONFIG)
    assert.ok(Object.keys(await ask([])).length > 25, 'without names all of them')

    const change = (configEntries, validateOnly = false) =>
      admin.alterConfigs({ validateOnly, resources: [{ type, name: 'configs', configEntries }] })
    await change([{ name: 'max.message.bytes', value: '200' }], true)
    assert.equal((await ask(['max.message.bytes']))['max.message.bytes'].configSource, ConfigSource.DEFAULT_CONFIG)
    await change([{ name: 'max.message.bytes', value: '200' }])
    const after = await ask(['max.message.bytes', 'retention.ms'])
    assert.equal(after['max.message.bytes'].configValue, '200')
    // This call sets all that is set: what it does not name goes back to its default.
    assert.equal(after['retention.ms'].configValue, '604800000')
    await withProducer(async (producer) => {
      const messages = [{ value: 'x'.repeat(1000) }]
      await assert.rejects(producer.send({ topic: 'configs', messages }), { type: 'MESSAGE_TOO_LARGE' })
    })
    await assert.rejects(change([{ name: 'max.message.bytes', value: 'many' }]), { type: 'INVALID_CONFIG' })

    const broker = [{ type: ConfigResourceTypes.BROKER, name: '1', configNames: ['log.retention.hours'] }]
    const { resources } = await admin.describeConfigs({ resources: broker, includeSynonyms: false })
    assert.equal(resources[0].configEntries[0].configValue, '168')
  })
})
