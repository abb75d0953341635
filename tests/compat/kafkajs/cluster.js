// The cluster is one broker, at the address by which it was reached, and it keeps its name.

'use strict'

const assert = require('node:assert/strict')
const { killBroker, story, withAdmin } = require('./telling')

story(async () => {
  const [host, port] = process.env.BROKER.split(':')
  const ask = () => withAdmin((admin) => admin.describeCluster())
  const before = await ask()
  assert.deepEqual(before.brokers, [{ nodeId: 1, host, port: Number(port) }])
  assert.equal(before.controller, 1)
  assert.match(before.clusterId, /^[A-Za-z0-9_-]{22}$/)
  await killBroker()
  assert.deepEqual(await ask(), before)
})
