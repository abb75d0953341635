// What the stories share: clients, a reader, and a broker that can be killed.

'use strict'

const assert = require('node:assert/strict')
const readline = require('node:readline')
const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require('kafkajs')

// kafkajs leaves all codecs but gzip to the user.
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

// Far more than any story needs.
const PATIENCE = 100_000

const kafka = new Kafka({
  clientId: 'story',
  brokers: [process.env.BROKER],
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, maxRetryTime: 2000, retries: 40 },
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

async function withProducer(use, options = {}) {
  const producer = kafka.producer({
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
    ...options,
  })
  await producer.connect()
  try {
    return await use(producer)
  } finally {
    await producer.disconnect()
  }
}

async function createTopic(topic, numPartitions = 1, configEntries = []) {
  const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }]
  assert.equal(await withAdmin((admin) => admin.createTopics({ topics })), true)
}

// A member of a group, which notes what it reads: `{ partition, offset, key, value, headers }`.
class Member {
  constructor(groupId, options = {}) {
    this.records = []
    this.joined = []
    this.consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, sessionTimeout: 10_000, heartbeatInterval: 500, ...options })
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => this.joined.push(payload))
    this.consumer.on(this.consumer.events.CRASH, ({ payload }) => (this.crash = payload.error))
  }

  async start(topic, run = {}) {
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: [topic], fromBeginning: true })
    await this.consumer.run({
      eachMessage: async ({ partition, message }) => {
        const { key, value, headers } = message
        this.records.push({ partition, offset: Number(message.offset), key, value, headers })
      },
      ...run,
    })
    return this
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

module.exports = { CompressionTypes, Member, createTopic, kafka, killBroker, readAll, story, until, withAdmin, withProducer }
