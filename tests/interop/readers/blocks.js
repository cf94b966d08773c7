// Prints the names of blocks of a world, as prismarine-provider-anvil reads them.
//
//   node blocks.js VERSION REGION_FOLDER <places.json
//
// Input: a JSON list of [x, y, z]. Output: a JSON list of names such as "minecraft:stone", null where no chunk stands.

'use strict'

const [version, folder] = process.argv.slice(2)
const { Vec3 } = require('vec3')
const Anvil = require('prismarine-provider-anvil').Anvil(version)

async function main () {
  const places = JSON.parse(require('fs').readFileSync(0, 'utf8'))
  const anvil = new Anvil(folder)
  const chunks = new Map()
  const names = []
  for (const [x, y, z] of places) {
    const key = `${x >> 4},${z >> 4}`
    if (!chunks.has(key)) chunks.set(key, await anvil.load(x >> 4, z >> 4))
    const chunk = chunks.get(key)
    names.push(chunk ? `minecraft:${chunk.getBlock(new Vec3(x & 15, y, z & 15)).name}` : null)
  }
  await anvil.close()
  process.stdout.write(JSON.stringify(names))
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
