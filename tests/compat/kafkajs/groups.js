// An administrator lists groups, looks into one, and removes it when it is empty.

'use strict'

const assert = require('node:assert/strict')
const { AssignerProtocol } = require('kafkajs')
const { Member, createTopic, story, until, withAdmin } = require('./telling')

const groupId = 'looked-at'

story(async () => {
  await createTopic('groups', 2)
  const member = await new Member(groupId).start('groups')
  await until(() => member.joined.length > 0)
  await withAdmin(async (admin) => {
    const { groups } = await admin.listGroups()
    assert.ok(groups.some((group) => group.groupId === groupId && group.protocolType === 'consumer'), JSON.stringify(groups))
    const described = async () => (await admin.describeGroups([groupId])).groups[0]
    await until(async () => (await described()).state === 'Stable')
    const { members, protocol, protocolType } = await described()
    assert.deepEqual([protocol, protocolType, members.length], ['RoundRobinAssigner', 'consumer', 1])
    assert.equal(members[0].clientId, 'story')
    const { assignment } = AssignerProtocol.MemberAssignment.decode(members[0].memberAssignment)
    assert.deepEqual(assignment.groups.sort(), [0, 1])

    const refused = await admin.deleteGroups([groupId]).catch((failure) => failure)
    assert.deepEqual(refused.groups.map(({ error }) => error.type), ['NON_EMPTY_GROUP'])
    await member.stop()
    await until(async () => (await described()).state === 'Empty')
    const [{ errorCode }] = await admin.deleteGroups([groupId])
    assert.equal(errorCode, 0)
    assert.equal((await described()).state, 'Dead')
  })
})
