package bbd.companion.disk;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.geometry.Codec;
import bbd.companion.geometry.Geometry;
import bbd.companion.geometry.Hilbert;
import bbd.companion.geometry.Layout;
import bbd.companion.geometry.Linear;
import bbd.companion.geometry.Spiral;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/** What the companion must know of a disk: its descriptor {@code bbd/<disk>.json} (format.md, "Descriptor"). */
public record Descriptor(String name, String id, long size, String dimension, Geometry geometry, int parity) {
    private static final int FORMAT = 1;
    private static final int CHECK_SECTION = 16;

    /** Throws {@link BridgeException} ({@code damaged}) for what is no descriptor of a disk called {@code name}. */
    public static Descriptor parse(String name, byte[] json) throws BridgeException {
        try {
            Fields fields = Fields.parse(new String(json, StandardCharsets.UTF_8));
            fields.number("format", FORMAT, FORMAT);
            if (!fields.list("incompat").isEmpty()) {
                throw new BridgeException(ErrorCode.DAMAGED, "it has features that this companion does not know");
            }
            Descriptor found = read(fields);
            if (!found.name.equals(name)) {
                throw new BridgeException(ErrorCode.DAMAGED, "it names the disk " + found.name);
            }
            found.geometry.chunk(found.columns() - 1);
            return found;
        } catch (BridgeException | IllegalArgumentException error) {
            throw new BridgeException(ErrorCode.DAMAGED,
                    "the descriptor of " + name + " can't be used: " + error.getMessage());
        }
    }

    private static Descriptor read(Fields fields) throws BridgeException {
        String codec = fields.text("codec");
        String dimension = fields.text("dimension");
        int[] origin = origin(fields);
        Geometry geometry = new Geometry(
                Codec.named(codec).orElseThrow(() -> new IllegalArgumentException("no codec " + codec)),
                layout(fields.object("layout")), origin[0], origin[1]);
        return new Descriptor(fields.text("name"), fields.text("id"), fields.number("size", 1, Long.MAX_VALUE),
                dimension, geometry, (int) fields.number("parity", 0, 3));
    }

    private static int[] origin(Fields fields) throws BridgeException {
        Fields wrapped = new Fields(java.util.Map.of("origin", java.util.List.of(fields.list("origin"))));
        return wrapped.tuples("origin", 2).get(0);
    }

    private static Layout layout(Fields fields) throws BridgeException {
        String name = fields.text("name");
        return switch (name) {
            case "hilbert" -> new Hilbert();
            case "linear" -> new Linear(fields.number("width", 0, Integer.MAX_VALUE));
            case "spiral" -> new Spiral();
            default -> throw new IllegalArgumentException("no layout " + name);
        };
    }

    public long columns() {
        return geometry.columns(size);
    }

    /** The Nether and the End have no room for check and parity sections. */
    public boolean checked() {
        return !dimension.equals("minecraft:the_nether") && !dimension.equals("minecraft:the_end");
    }

    /** The sections that are the disk's, bit i for section i. */
    public int sections() {
        return (1 << (checked() ? CHECK_SECTION + 1 + parity : CHECK_SECTION)) - 1;
    }

    /** The disk's column at a chunk. */
    public OptionalLong column(int chunkX, int chunkZ) {
        OptionalLong column = geometry.column(chunkX, chunkZ);
        return column.isPresent() && column.getAsLong() < columns() ? column : OptionalLong.empty();
    }

    public boolean holds(ChunkPos chunk) {
        return column(chunk.x(), chunk.z()).isPresent();
    }

    /** Whether a block is one of the disk's, in its dimension. */
    public boolean holds(int x, int y, int z) {
        return y >= 0 && y < 16 * Integer.bitCount(sections()) && column(x >> 4, z >> 4).isPresent();
    }

    /** Whether this can take the place of {@code older}: a disk may grow and change its policies, but not move. */
    public boolean succeeds(Descriptor older) {
        return id.equals(older.id) && dimension.equals(older.dimension) && geometry.equals(older.geometry)
                && parity == older.parity;
    }
}
