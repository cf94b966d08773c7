package bbd.companion.anvil;

import bbd.companion.blocks.ChunkPos;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Writes chunks: new ones, and standing ones of which only some sections change. Of a standing chunk every tag is kept
 * byte for byte, except what was derived from the blocks (heightmaps, light) and block entities and ticks in the
 * written sections. A written section is 4096 numbers of states, or null for air all over.
 */
final class ChunkWriter {
    private static final int MIN_SECTION = -4;
    private static final int MAX_SECTION = 19;
    private static final Set<String> DERIVED = Set.of("Heightmaps", "isLightOn", "BlockLight", "SkyLight");
    private static final Set<String> POSITIONED = Set.of("block_entities", "block_ticks", "fluid_ticks");
    private static final Set<String> HARMLESS = Set.of("DataVersion", "xPos", "yPos", "zPos", "LastUpdate",
            "InhabitedTime", "Status", "status", "sections");

    private final BlockWriter blocks;
    private final Palettes palettes;
    private final int dataVersion;

    /** {@code dataVersion}: of chunks that have none yet. */
    ChunkWriter(BlockWriter blocks, Palettes palettes, int dataVersion) {
        this.blocks = blocks;
        this.palettes = palettes;
        this.dataVersion = dataVersion;
    }

    /** A new chunk, with every tag that some reader needs; what is not written is air. */
    NbtWriter fresh(ChunkPos at, Map<Integer, char[]> written) throws UnreadableChunk {
        NbtWriter out = new NbtWriter(1 << 16);
        out.head(Nbt.COMPOUND, "").tag("DataVersion", dataVersion).tag("xPos", at.x()).tag("yPos", MIN_SECTION);
        out.tag("zPos", at.z()).tag("LastUpdate", 0L).tag("InhabitedTime", 0L).tag("Status", "minecraft:full");
        out.listHead("sections", Nbt.COMPOUND, MAX_SECTION - MIN_SECTION + 1);
        for (int y = MIN_SECTION; y <= MAX_SECTION; y++) {
            section(out, y, written.get(y));
        }
        for (String name : List.of("block_entities", "block_ticks", "fluid_ticks")) {
            out.listHead(name, Nbt.COMPOUND, 0);
        }
        out.listHead("PostProcessing", Nbt.LIST, MAX_SECTION - MIN_SECTION + 1);
        for (int y = MIN_SECTION; y <= MAX_SECTION; y++) {
            out.end().number(0);
        }
        out.head(Nbt.COMPOUND, "structures").head(Nbt.COMPOUND, "starts").end().head(Nbt.COMPOUND, "References").end();
        out.end().end();
        return out;
    }

    /** The chunk with the sections of {@code written}. */
    NbtWriter rewritten(Chunk chunk, Map<Integer, char[]> written) throws UnreadableChunk {
        NbtWriter out = new NbtWriter(chunk.nbt.size + (1 << 16));
        out.write(chunk.nbt.data, 0, chunk.body);
        for (Nbt.Tag tag : chunk.tags) {
            if (tag.name().equals("sections")) {
                sections(out, chunk, written);
            } else if (positioned(tag)) {
                List<byte[]> kept = outside(chunk.nbt, tag, written.keySet());
                out.listHead(tag.name(), Nbt.COMPOUND, kept.size());
                kept.forEach(out::raw);
            } else if (tag.name().equals("Status")) {
                out.raw(isFull(chunk.nbt, tag) ? chunk.nbt.bytes(tag) : status());
            } else if (!derived(tag.name())) {
                out.raw(chunk.nbt.bytes(tag));
            }
        }
        if (chunk.tags.stream().noneMatch(tag -> tag.name().equals("DataVersion"))) {
            out.tag("DataVersion", dataVersion);
        }
        if (chunk.tags.stream().noneMatch(tag -> tag.name().equals("Status"))) {
            out.raw(status());
        }
        return out.end();
    }

    /** Whether nothing of anybody's is left in the chunk once {@code written} is. */
    boolean leftEmpty(Chunk chunk, Map<Integer, char[]> written) throws UnreadableChunk {
        if (written.values().stream().anyMatch(java.util.Objects::nonNull)) {
            return false;
        }
        for (Section section : chunk.sections.values()) {
            if (!isVoid(chunk, section, written)) {
                return false;
            }
        }
        for (Nbt.Tag tag : chunk.tags) {
            if (!meansNothing(chunk.nbt, tag, written.keySet())) {
                return false;
            }
        }
        return true;
    }

    private static byte[] status() {
        return new NbtWriter(32).tag("Status", "minecraft:full").toByteArray();
    }

    private static boolean isFull(Nbt nbt, Nbt.Tag tag) throws UnreadableChunk {
        return tag.type() == Nbt.STRING && nbt.text(tag.payload()).replaceFirst("^minecraft:", "").equals("full");
    }

    private static boolean derived(String name) {
        return DERIVED.contains(name) || name.startsWith("starlight.");
    }

    private static boolean positioned(Nbt.Tag tag) {
        return tag.type() == Nbt.LIST && POSITIONED.contains(tag.name());
    }

    private void sections(NbtWriter out, Chunk chunk, Map<Integer, char[]> written) throws UnreadableChunk {
        TreeSet<Integer> all = new TreeSet<>(chunk.sections.keySet());
        all.addAll(written.keySet());
        all.removeIf(y -> !written.containsKey(y) && onlyLight(chunk.sections.get(y)));
        out.listHead("sections", Nbt.COMPOUND, all.size());
        for (int y : all) {
            Section section = chunk.sections.get(y);
            if (section == null) {
                section(out, y, written.get(y));
            } else {
                standing(out, chunk.nbt, section, written);
            }
        }
    }

    private static boolean onlyLight(Section section) {
        return section.tags().stream().allMatch(tag -> tag.name().equals("Y") || derived(tag.name()));
    }

    private void standing(NbtWriter out, Nbt nbt, Section section, Map<Integer, char[]> written)
            throws UnreadableChunk {
        boolean anew = written.containsKey(section.y());
        boolean biomes = false;
        for (Nbt.Tag tag : section.tags()) {
            biomes |= tag.name().equals("biomes");
            if (!derived(tag.name()) && !(anew && tag.name().equals("block_states"))) {
                out.raw(nbt.bytes(tag));
            }
        }
        if (anew) {
            blocks.write(out, written.get(section.y()));
            if (!biomes) {
                voidBiomes(out);
            }
        }
        out.end();
    }

    private void section(NbtWriter out, int y, char[] written) throws UnreadableChunk {
        out.tag("Y", (byte) y);
        blocks.write(out, written);
        voidBiomes(out);
        out.end();
    }

    private static void voidBiomes(NbtWriter out) {
        out.head(Nbt.COMPOUND, "biomes").listHead("palette", Nbt.STRING, 1).string("minecraft:the_void").end();
    }

    /** The compounds of a list that don't lie, by their y, in a written section. */
    private static List<byte[]> outside(Nbt nbt, Nbt.Tag list, Set<Integer> written) throws UnreadableChunk {
        List<byte[]> kept = new ArrayList<>();
        int position = nbt.items(list, Nbt.COMPOUND);
        for (int i = nbt.count(list); i > 0; i--) {
            Long y = nbt.number(Nbt.named(nbt.compound(position), "y", Nbt.INT));
            int end = nbt.endOfCompound(position);
            if (y == null || !written.contains((int) (y >> 4))) {
                kept.add(java.util.Arrays.copyOfRange(nbt.data, position, end));
            }
            position = end;
        }
        return kept;
    }

    private boolean isVoid(Chunk chunk, Section section, Map<Integer, char[]> written) throws UnreadableChunk {
        for (Nbt.Tag tag : section.tags()) {
            if (tag.name().equals("biomes")) {
                NbtWriter expected = new NbtWriter(64);
                voidBiomes(expected);
                if (!java.util.Arrays.equals(chunk.nbt.bytes(tag), expected.toByteArray())) {
                    return false;
                }
            } else if (!tag.name().equals("Y") && !tag.name().equals("block_states") && !derived(tag.name())) {
                return false;
            }
        }
        return written.containsKey(section.y()) || section.blocks(chunk.nbt, palettes) == null;
    }

    private static boolean meansNothing(Nbt nbt, Nbt.Tag tag, Set<Integer> written) throws UnreadableChunk {
        if (HARMLESS.contains(tag.name()) || derived(tag.name())) {
            return true;
        }
        return positioned(tag) ? outside(nbt, tag, written).isEmpty() : isEmpty(nbt, tag.type(), tag.payload());
    }

    /** Whether a payload is a list, an array or a compound with nothing in it but such again. */
    private static boolean isEmpty(Nbt nbt, int type, int payload) throws UnreadableChunk {
        switch (type) {
            case Nbt.BYTE_ARRAY, Nbt.INT_ARRAY, Nbt.LONG_ARRAY :
                return nbt.length(payload) == 0;
            case Nbt.COMPOUND :
                for (Nbt.Tag tag : nbt.compound(payload)) {
                    if (!isEmpty(nbt, tag.type(), tag.payload())) {
                        return false;
                    }
                }
                return true;
            case Nbt.LIST :
                int at = payload + 5;
                for (int i = nbt.length(payload + 1); i > 0; i--) {
                    if (!isEmpty(nbt, nbt.type(payload), at)) {
                        return false;
                    }
                    at = nbt.skip(nbt.type(payload), at, 0);
                }
                return true;
            default :
                return false;
        }
    }
}
