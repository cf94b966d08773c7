package bbd.companion.anvil;

import bbd.companion.blocks.Column;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A chunk as it was saved (1.18 and later): its bytes, where its tags lie in them, and its sections by Y. */
final class Chunk {
    final Nbt nbt;
    final int body;
    final List<Nbt.Tag> tags;
    final Map<Integer, Section> sections;

    private Chunk(Nbt nbt, int body, List<Nbt.Tag> tags, Map<Integer, Section> sections) {
        this.nbt = nbt;
        this.body = body;
        this.tags = tags;
        this.sections = sections;
    }

    static Chunk parse(Content content, Palettes palettes) throws UnreadableChunk {
        Nbt nbt = new Nbt(content, palettes);
        if (nbt.type(0) != Nbt.COMPOUND) {
            throw new UnreadableChunk("it does not begin with a compound");
        }
        int body = nbt.skip(Nbt.STRING, 1, 0);
        List<Nbt.Tag> tags = nbt.compound(body);
        Nbt.Tag list = Nbt.named(tags, "sections", Nbt.LIST);
        if (list == null) {
            throw new UnreadableChunk(Nbt.named(tags, "Level", Nbt.COMPOUND) == null
                    ? "it has no sections"
                    : "it was saved by a Minecraft older than 1.18");
        }
        Map<Integer, Section> sections = new TreeMap<>();
        int position = nbt.items(list, Nbt.COMPOUND);
        for (int i = 0; i < nbt.count(list); i++) {
            Section section = Section.read(nbt, position);
            if (sections.put(section.y(), section) != null) {
                throw new UnreadableChunk("it has two sections with Y " + section.y());
            }
            position = nbt.endOfCompound(position);
        }
        return new Chunk(nbt, body, tags, sections);
    }

    /** The blocks of the section at Y; null for air all over. */
    char[] blocks(int y, Palettes palettes) throws UnreadableChunk {
        Section section = sections.get(y);
        return section == null ? null : section.blocks(nbt, palettes);
    }

    /** Whether the blocks of the section at Y are these; null is air all over. */
    boolean isSame(int y, char[] blocks, Palettes palettes) throws UnreadableChunk {
        Section section = sections.get(y);
        return section == null ? blocks == null : section.isSame(nbt, palettes, blocks);
    }

    Column column(Palettes palettes) throws UnreadableChunk {
        Column column = Column.empty();
        for (int y = 0; y < Column.SECTIONS; y++) {
            column.sections()[y] = blocks(y, palettes);
        }
        return column;
    }

    Integer dataVersion() throws UnreadableChunk {
        Long version = nbt.number(Nbt.named(tags, "DataVersion", Nbt.INT));
        return version == null ? null : version.intValue();
    }
}
