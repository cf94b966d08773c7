package bbd.companion.command;

import bbd.companion.disk.Descriptor;
import bbd.companion.geometry.Geometry;
import bbd.companion.session.DiskStats;
import bbd.companion.session.Disks;
import bbd.companion.session.OpenDisk;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What {@code /bbd} says and does, without the game: {@code info}, {@code where OFFSET}, {@code pause}, {@code resume},
 * {@code protect on|off}, {@code approve NAME}, {@code deny NAME}. Where a world has several disks, the disk's name comes
 * last.
 */
public final class Commands {
    private static final String USAGE = "/bbd info | where OFFSET | pause | resume | protect on|off"
            + " | approve NAME | deny NAME";
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    private static final int UNIT = 1024;
    private final Disks disks;

    public Commands(Disks disks) {
        this.disks = disks;
    }

    /** Where somebody is to be brought. */
    public record Destination(String dimension, int x, int y, int z) {}

    /** What is to be said, line by line, and where to go, if anywhere. */
    public record Answer(List<String> lines, Optional<Destination> destination) {
        static Answer of(String... lines) {
            return new Answer(List.of(lines), Optional.empty());
        }
    }

    /** A byte of a disk that a block is (a part of). */
    public record Place(String disk, long offset) {
        /** For the action bar; {@code value} is the byte there, or -1 where it is not known. */
        public String describe(int value) {
            String shown = value < 0 ? "lost" : String.format("0x%02x", value) + character(value);
            return disk + " 0x" + Long.toHexString(offset) + ": " + shown;
        }

        private static String character(int value) {
            return value > ' ' && value < 0x7F ? " '" + (char) value + "'" : "";
        }
    }

    /**
     * Does what {@code words}, those after {@code /bbd}, say. Whoever asked must be allowed to.
     *
     * @param who a name, for those who are told
     * @param later takes lines that are said when something is done that takes time; any thread calls it
     */
    public Answer run(List<String> words, String who, Consumer<String> later) {
        return switch (verb(words)) {
            case "info" -> info();
            case "where" -> where(words);
            case "pause" -> pause(words, who, later, true);
            case "resume" -> pause(words, who, later, false);
            case "protect" -> protect(words);
            case "approve" -> approve(words);
            case "deny" -> deny(words);
            default -> Answer.of(USAGE);
        };
    }

    /**
     * What somebody must be allowed to say such words: {@code info}, {@code where}, {@code operate} or {@code approve}.
     * Which people are, the server knows.
     */
    public static String needs(List<String> words) {
        return switch (verb(words)) {
            case "where" -> "where";
            case "pause", "resume", "protect" -> "operate";
            case "approve", "deny" -> "approve";
            default -> "info";
        };
    }

    private static String verb(List<String> words) {
        return words.isEmpty() ? "info" : words.get(0);
    }

    /** The words that can follow what was typed. */
    public List<String> complete(List<String> words) {
        if (words.size() <= 1) {
            String begun = words.isEmpty() ? "" : words.get(0);
            return List.of("approve", "deny", "info", "pause", "protect", "resume", "where").stream()
                    .filter(word -> word.startsWith(begun)).toList();
        }
        return switch (words.get(0)) {
            case "protect" -> words.size() == 2 ? List.of("on", "off") : names();
            case "approve", "deny" -> disks.approvals().waiting().stream().map(Descriptor::name).toList();
            case "pause", "resume" -> names();
            default -> List.of();
        };
    }

    /** The byte that a block is a part of. */
    public Optional<Place> what(String dimension, int x, int y, int z) {
        return disks.at(dimension, x, y, z).flatMap(disk -> {
            var offset = disk.geometry().offset(x, y, z);
            return offset.isPresent() && offset.getAsLong() < disk.size()
                    ? Optional.of(new Place(disk.name(), offset.getAsLong()))
                    : Optional.empty();
        });
    }

    /** A line for a boss bar: what the disk's clients do. */
    public String activity(String disk) {
        DiskStats stats = disks.statsOf(disk);
        long[] clients = stats.activity;
        long waiting = disks.opened(disk).map(open -> (long) open.waiting() + open.unconfirmed()).orElse(0L);
        return disk + ": " + clients[0] + " reads/s, " + clients[1] + " writes/s; sections " + stats.read.perSecond()
                + " out, " + stats.written.perSecond() + " in" + (waiting > 0 ? "; " + waiting + " to be saved" : "");
    }

    private Answer info() {
        List<String> lines = new ArrayList<>();
        for (Descriptor disk : disks.all()) {
            DiskStats stats = disks.statsOf(disk.name());
            lines.add(disk.name() + ": " + size(disk.size()) + " in " + disk.dimension() + ", "
                    + disk.geometry().codec().name().toLowerCase(Locale.ROOT) + ", "
                    + disks.opened(disk.name()).map(Commands::state).orElse("nobody has it open")
                    + (disks.isProtected(disk.name()) ? ", protected" : ""));
            lines.add("  " + stats.read.total() + " sections read, " + stats.written.total() + " written, "
                    + stats.confirmed.total() + " columns confirmed; edits: " + stats.edits.total() + " taken over, "
                    + stats.cancelled.total() + " cancelled, " + stats.unseen.total() + " unseen, "
                    + stats.conflicts.total() + " conflicts; errors: " + stats.errors.total());
        }
        if (lines.isEmpty()) {
            lines.add("There is no disk in this world.");
        }
        for (Descriptor disk : disks.approvals().waiting()) {
            lines.add(asked(disk));
        }
        return new Answer(lines, Optional.empty());
    }

    private static String state(OpenDisk disk) {
        String busy = disk.waiting() + " columns wait, " + disk.unconfirmed() + " to be saved";
        return disk.paused() ? "open, paused (" + busy + ")" : "open (" + busy + ")";
    }

    private Answer where(List<String> words) {
        if (words.size() < 2) {
            return Answer.of("/bbd where OFFSET [DISK]: an offset in bytes; 0x… and K, M, G, T are understood");
        }
        Optional<Descriptor> disk = disk(words, 2);
        if (disk.isEmpty()) {
            return Answer.of(which());
        }
        long offset;
        try {
            offset = offset(words.get(1));
        } catch (IllegalArgumentException error) {
            return Answer.of(error.getMessage());
        }
        if (offset >= disk.get().size()) {
            return Answer.of(disk.get().name() + " ends before that, at " + disk.get().size());
        }
        List<Geometry.Block> blocks = disk.get().geometry().locate(offset);
        List<String> lines = new ArrayList<>();
        lines.add("Byte 0x" + Long.toHexString(offset) + " of " + disk.get().name() + ":");
        blocks.forEach(block -> lines.add("  " + block.x() + " " + block.y() + " " + block.z()));
        Geometry.Block first = blocks.get(0);
        return new Answer(lines,
                Optional.of(new Destination(disk.get().dimension(), first.x(), first.y(), first.z())));
    }

    private Answer pause(List<String> words, String who, Consumer<String> later, boolean wanted) {
        Optional<Descriptor> named = disk(words, 1);
        if (named.isEmpty()) {
            return Answer.of(which());
        }
        String name = named.get().name();
        Optional<OpenDisk> disk = disks.opened(name);
        if (disk.isEmpty() && !wanted && disks.forgetPause(name)) {
            return Answer.of(name + " goes on when somebody opens it.");
        }
        if (disk.isEmpty()) {
            return Answer.of("Nobody has " + name + " open: there is nothing to " + words.get(0) + ".");
        }
        disks.pause(disk.get(), who, wanted).whenComplete((done, error) -> {
            if (error != null) {
                later.accept(name + " is paused, but not all of it could be saved: " + error.getMessage());
            } else if (wanted) {
                later.accept(name + " is paused and saved: make the backup now, then /bbd resume.");
            }
        });
        return Answer.of(wanted ? "Pausing " + name + " …" : name + " goes on.");
    }

    private Answer protect(List<String> words) {
        boolean on = words.size() > 1 && words.get(1).equals("on");
        if (!on && (words.size() < 2 || !words.get(1).equals("off"))) {
            return Answer.of("/bbd protect on|off [DISK]");
        }
        Optional<Descriptor> disk = disk(words, 2);
        if (disk.isEmpty()) {
            return Answer.of(which());
        }
        disks.protect(disk.get().name(), on);
        return Answer.of(disk.get().name() + (on
                ? " is protected: nobody can change its blocks."
                : " is not protected: whoever changes its blocks changes its bytes."));
    }

    /** What operators are told of a disk that somebody wants to make. */
    public static String asked(Descriptor disk) {
        return "Somebody wants to make or enlarge a disk: " + described(disk) + ". To allow it: /bbd approve "
                + disk.name()
                + "; if not: /bbd deny " + disk.name();
    }

    private static String described(Descriptor disk) {
        return disk.name() + ", " + size(disk.size()) + " in " + disk.dimension() + " from chunk "
                + disk.geometry().originX() + "," + disk.geometry().originZ() + " on, " + disk.columns() + " chunks";
    }

    private Answer approve(List<String> words) {
        String name = String.join(" ", words.subList(1, words.size()));
        return Answer.of(disks.approvals().approve(name)
                .map(disk -> "It is allowed, its owner can do it now: " + described(disk) + ".")
                .orElse("Nobody has asked for a disk '" + name + "'."));
    }

    private Answer deny(List<String> words) {
        String name = String.join(" ", words.subList(1, words.size()));
        return Answer.of(disks.approvals().deny(name).map(disk -> "It is not allowed: " + described(disk) + ".")
                .orElse("Nobody has asked for a disk '" + name + "'."));
    }

    /** The disk whose name begins at a word; where no name is given, the only one. */
    private Optional<Descriptor> disk(List<String> words, int from) {
        if (words.size() > from) {
            return disks.named(String.join(" ", words.subList(from, words.size())));
        }
        return disks.all().size() == 1 ? Optional.of(disks.all().get(0)) : Optional.empty();
    }

    private String which() {
        return names().isEmpty()
                ? "There is no disk in this world."
                : "Which disk? There are " + String.join(", ", names()) + ".";
    }

    private List<String> names() {
        return disks.all().stream().map(Descriptor::name).toList();
    }

    /** Bytes of {@code 4096}, {@code 0x1000}, {@code 4K} and the like. Throws {@link IllegalArgumentException}. */
    static long offset(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        try {
            if (lower.startsWith("0x")) {
                return nonNegative(Long.parseLong(lower.substring(2), 16));
            }
            int unit = "kmgtp".indexOf(lower.charAt(lower.length() - 1));
            String digits = unit < 0 ? lower : lower.substring(0, lower.length() - 1);
            return nonNegative(Math.multiplyExact(Long.parseLong(digits), 1L << 10 * (unit + 1)));
        } catch (ArithmeticException | NumberFormatException error) {
            throw new IllegalArgumentException("'" + text + "' is no offset", error);
        }
    }

    private static long nonNegative(long number) {
        if (number < 0) {
            throw new NumberFormatException();
        }
        return number;
    }

    static String size(long bytes) {
        int unit = 0;
        long rest = bytes;
        while (rest >= UNIT && rest % UNIT == 0) {
            rest /= UNIT;
            unit++;
        }
        return rest + " " + UNITS[unit];
    }
}
