// A player for tests: joins HOST PORT NAME, then does what lines of JSON on standard input say, and answers each with a
// line of JSON on standard output. The first line that it writes is {"joined": true, ...}.
'use strict'
const mineflayer = require('mineflayer')
const { Vec3 } = require('vec3')
const readline = require('readline')

const [host, port, username] = process.argv.slice(2)
const bot = mineflayer.createBot({ host, port: Number(port), username, version: '26.1', auth: 'offline', physicsEnabled: false, viewDistance: 3 })
const messages = []
const bars = []

function answer (value) { process.stdout.write(JSON.stringify(value) + '\n') }
function end (why) { answer({ error: String(why) }); process.exit(1) }
function told (block) { return block && { name: block.name, properties: block.getProperties(), at: { ...block.position } } }
function place (ask) { return new Vec3(ask.x, ask.y, ask.z) }
function pause (millis) { return new Promise(resolve => setTimeout(resolve, millis)) }

async function standing (at) {
  for (let block = bot.blockAt(at); ; block = bot.blockAt(at)) {
    if (block) return block
    await pause(50)
  }
}

async function hold (name) {
  const Item = require('prismarine-item')(bot.registry)
  await bot.creative.setInventorySlot(36, new Item(bot.registry.itemsByName[name].id, 1))
  bot.setQuickBarSlot(0)
}

async function putOn (block, options) { await bot._genericPlace(block, new Vec3(0, 1, 0), options) }

const actions = {
  block: async ask => told(await standing(place(ask))),
  // Waits until the block is of that name, and has those properties.
  see: async ask => {
    for (;;) {
      const block = told(bot.blockAt(place(ask)))
      if (block && block.name === ask.name && Object.entries(ask.properties || {}).every(([key, value]) => String(block.properties[key]) === value)) return block
      await pause(50)
    }
  },
  dig: async ask => {
    const block = await standing(place(ask))
    await bot.lookAt(block.position.offset(0.5, 0.5, 0.5), true)
    await bot.dig(block, true)
    return told(bot.blockAt(place(ask)))
  },
  click: async ask => {
    await bot.activateBlock(await standing(place(ask)), new Vec3(0, 1, 0))
    return true
  },
  // Puts a block on top of another.
  put: async ask => {
    await hold(ask.name)
    await putOn(await standing(place(ask)), { forceLook: true })
    return true
  },
  // Breaks a block and puts another one there in the same moment, before what is broken is mended; returns the block as
  // it is seen when it is the other one, or else after some seconds.
  replace: async ask => {
    await hold(ask.name)
    const at = place(ask)
    const below = await standing(at.offset(0, -1, 0))
    await bot.lookAt(at.offset(0.5, 0.5, 0.5), true)
    // All that a player in creative mode sends; bot.dig() says, too, that the digging has ended, and has the server send
    // the whole chunk again.
    bot._client.write('block_dig', { status: 0, location: at, face: 1, sequence: 0 })
    await putOn(below, { forceLook: 'ignore' })
    for (let i = 0; i < 60 && bot.blockAt(at).name !== ask.name; i++) await pause(50)
    return told(bot.blockAt(at))
  },
  look: async ask => { await bot.lookAt(place(ask).offset(0.5, 0.5, 0.5), true); return true },
  // Waits until somebody has said something that has these words in it.
  heard: async ask => {
    for (;;) {
      const found = (ask.bar ? bars : messages).find(text => text.includes(ask.words))
      if (found !== undefined) return found
      await pause(50)
    }
  },
  say: async ask => { bot.chat(ask.words); return true },
  where: async () => ({ ...bot.entity.position }),
  // Waits until the player is that near to a place.
  near: async ask => {
    while (bot.entity.position.distanceTo(place(ask)) > ask.distance) await pause(50)
    return { ...bot.entity.position }
  },
  quit: async () => { bot.quit(); return true }
}

bot.on('message', message => { messages.push(message.toString()) })
bot._client.on('action_bar', packet => bars.push(require('prismarine-chat')(bot.registry).fromNotch(packet.text).toString()))
bot.on('kicked', reason => end('kicked: ' + JSON.stringify(reason)))
bot.on('error', end)
bot.once('spawn', () => {
  answer({ joined: true, gameMode: bot.game.gameMode })
  readline.createInterface({ input: process.stdin }).on('line', async line => {
    const ask = JSON.parse(line)
    try {
      answer({ ok: await actions[ask.do](ask) })
    } catch (error) {
      answer({ error: String(error) })
    }
    if (ask.do === 'quit') process.exit(0)
  }).on('close', () => process.exit(0))
})
