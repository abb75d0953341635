// Writes ten records with kafkajs, each of them once whatever happens to the connection or the broker, and prints where each
// one is: PARTITION:OFFSET.
//
//     npm install
//     node idempotent-producer.js 127.0.0.1:9092 my-topic

'use strict'

const { Kafka, Partitioners, logLevel } = require('kafkajs')

async function main(bootstrap, topic) {
  const kafka = new Kafka({
    clientId: 'example',
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    // How often a request is tried again before its failure is reported.
    retry: { initialRetryTime: 100, maxRetryTime: 5000, retries: 30 },
  })
  const producer = kafka.producer({
    // Not the default of this client. It implies acks: -1.
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  try {
    for (let number = 0; number < 10; number++) {
      // One after the other: when a request fails, kafkajs 2.2.4 gives its sequence numbers to whichever `send` comes next,
      // and the broker takes that for a repetition of the first.
      const [where] = await producer.send({
        topic,
        messages: [{ key: `key-${number}`, value: `example-${number}` }],
      })
      console.log(`${where.partition}:${where.baseOffset}`)
    }
  } finally {
    await producer.disconnect()
  }
}

const [bootstrap, topic, ...rest] = process.argv.slice(2)
if (topic === undefined || rest.length > 0) {
  console.error('usage: node idempotent-producer.js BOOTSTRAP_SERVERS TOPIC')
  process.exit(2)
}
main(bootstrap, topic).catch((failure) => {
  console.error(`not all records were stored: ${failure.message}`)
  process.exit(1)
})
