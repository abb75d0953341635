// A group of the classic protocol.

'use strict'

const sharing = require('./sharing')
const { story } = require('./telling')

story(() => sharing({ 'group.protocol': 'classic', 'session.timeout.ms': 10_000, 'heartbeat.interval.ms': 500 }))
