// A group of the protocol of KIP-848.

'use strict'

const sharing = require('./sharing')
const { story } = require('./telling')

story(() => sharing({ 'group.protocol': 'consumer' }))
