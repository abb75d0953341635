// What the stories share: clients, a reader, and a broker that can be killed.

'use strict'

const assert = require('node:assert/strict')
const readline = require('node:readline')
const { KafkaJS } = require('@confluentinc/kafka-javascript')

// Far more than any story needs.
const PATIENCE = 100_000

const kafka = new KafkaJS.Kafka({
  'client.id': 'story',
  'bootstrap.servers': process.env.BROKER,
  'reconnect.backoff.ms': 10,
  'reconnect.backoff.max.ms': 200,
  kafkaJS: { logLevel: KafkaJS.logLevel.NOTHING },
})

// Tells a story; the process ends with 0 when it was true to the end.
function story(tell) {
  const late = setTimeout(() => {
    console.error(`still not at its end after ${PATIENCE} ms`)
    process.exit(1)
  }, PATIENCE)
  tell().then(
    () => {
      clearTimeout(late)
      process.exit(0)
    },
    (failure) => {
      console.error(failure)
      process.exit(1)
    }
  )
}

async function withAdmin(use) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

// An idempotent one; more settings are librdkafka's.
async function withProducer(use, settings = {}) {
  const producer = kafka.producer({ 'enable.idempotence': true, 'linger.ms': 0, ...settings })
  await producer.connect()
  try {
    return await use(producer)
  } finally {
    await producer.disconnect()
  }
}

async function createTopic(topic, numPartitions = 1) {
  const topics = [{ topic, numPartitions, replicationFactor: 1 }]
  assert.equal(await withAdmin((admin) => admin.createTopics({ topics })), true)
}

// A member of a group, which notes what it reads: `{ partition, offset, key, value, headers }`.
class Member {
  constructor(groupId, settings = {}) {
    this.records = []
    this.consumer = kafka.consumer({
      'group.id': groupId,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 100,
      'fetch.wait.max.ms': 100,
      ...settings,
    })
  }

  async start(topic) {
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: [topic] })
    await this.consumer.run({
      eachMessage: async ({ partition, message }) => {
        const { key, value, headers } = message
        this.records.push({ partition, offset: Number(message.offset), key, value, headers })
      },
    })
    return this
  }

  // How many partitions it has.
  share() {
    return this.consumer.assignment().length
  }

  stop() {
    return this.consumer.disconnect()
  }
}

// All records of a topic, as many as there must be; and no more come.
async function readAll(topic, count) {
  const member = await new Member(`readers-of-${topic}`).start(topic)
  try {
    await until(() => member.records.length >= count, () => `${member.records.length} of ${count} records`)
    const offsets = await withAdmin((admin) => admin.fetchTopicOffsets(topic))
    assert.equal(offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0), count)
    return member.records
  } finally {
    await member.stop()
  }
}

// Waits until it is true; the story ends before it would wait for ever.
async function until(isTrue, said = () => 'what was waited for') {
  const deadline = Date.now() + PATIENCE / 2
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, `${said()}, and then nothing`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

// Whoever runs the stories kills the broker, starts it again on what it has left, and says so in a line.
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function killBroker() {
  console.log('broker: kill and start')
  const { value } = await answers.next()
  assert.equal(value, 'started')
}

module.exports = { Member, createTopic, killBroker, readAll, story, until, withAdmin, withProducer }
