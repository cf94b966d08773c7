package bbd.companion.disk;

import bbd.companion.anvil.Durable;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The small files of one disk, in the folder {@code bbd} of the world (PROTOCOL.md, "Files"). */
public final class DiskFiles {
    public static final int MAX_BYTES = 512 << 10;
    private static final List<String> SUFFIXES = List.of(".json", ".columns", ".columns.redo", ".regions");
    private static final Pattern QUARANTINED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,199}");
    private static final Pattern NAME = Pattern.compile("[^/\\\\\\x00-\\x1f\\x7f.\\s][^/\\\\\\x00-\\x1f\\x7f]{0,99}");
    private static final String QUARANTINE = "quarantine";
    private static final int PAGE = 4096;
    private static final long MAX_SIZE = 1L << 44;

    private final Path folder;
    private final String disk;

    public DiskFiles(Path world, String disk) throws BridgeException {
        if (!NAME.matcher(disk).matches() || !disk.equals(disk.strip())) {
            throw new BridgeException(ErrorCode.NO_SUCH_DISK, "'" + disk + "' can't be a disk's name");
        }
        this.folder = world.resolve("bbd");
        this.disk = disk;
    }

    /** The names of the disks of a world. */
    public static List<String> disks(Path world) throws IOException {
        List<String> found = new ArrayList<>();
        Path folder = world.resolve("bbd");
        if (Files.isDirectory(folder)) {
            try (var files = Files.newDirectoryStream(folder, "*.json")) {
                for (Path file : files) {
                    String name = file.getFileName().toString();
                    found.add(name.substring(0, name.length() - ".json".length()));
                }
            }
        }
        found.sort(null);
        return found;
    }

    public byte[] descriptor() throws IOException, BridgeException {
        Path file = path(disk + ".json");
        if (!Files.exists(file)) {
            throw new BridgeException(ErrorCode.NO_SUCH_DISK, "the world has no disk '" + disk + "'");
        }
        return Files.readAllBytes(file);
    }

    /** The files that are there, with their sizes. */
    public Map<String, Object> sizes() throws IOException, BridgeException {
        Map<String, Object> found = new TreeMap<>();
        for (String suffix : SUFFIXES) {
            Path file = path(disk + suffix);
            if (Files.exists(file)) {
                found.put(disk + suffix, Files.size(file));
            }
        }
        return found;
    }

    public Map<String, Object> list(Fields request) throws IOException, BridgeException {
        String wanted = request.text("folder");
        if (!wanted.isEmpty() && !wanted.equals(QUARANTINE)) {
            throw notAllowed(wanted);
        }
        Path where = folder.resolve(wanted);
        List<String> names = new ArrayList<>();
        if (Files.isDirectory(where)) {
            try (var files = Files.newDirectoryStream(where)) {
                for (Path file : files) {
                    String name = file.getFileName().toString();
                    if (isOurs(wanted.isEmpty() ? name : wanted + "/" + name)) {
                        names.add(name);
                    }
                }
            }
        }
        names.sort(null);
        return Map.of("names", names);
    }

    public Map<String, Object> stat(Fields request) throws IOException, BridgeException {
        try (FileChannel channel = open(request)) {
            return Map.of("size", channel.size(), "data", data(channel));
        }
    }

    public Map<String, Object> read(Fields request) throws IOException, BridgeException {
        long at = request.number("at", 0, MAX_SIZE);
        int size = (int) request.number("size", 1, MAX_BYTES);
        try (FileChannel channel = open(request)) {
            return Map.of("data", Base64.getEncoder().encodeToString(Durable.read(channel, at, size)));
        }
    }

    public Map<String, Object> write(Fields request) throws IOException, BridgeException {
        Path file = path(request.text("file"));
        boolean fresh = request.flag("create") && !Files.exists(file);
        List<Fields> writes = request.objects("writes");
        if (!fresh && !Files.exists(file)) {
            throw noSuchFile(file);
        }
        Files.createDirectories(file.getParent());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            for (Fields write : writes) {
                Durable.writeAll(channel, ByteBuffer.wrap(write.bytes("data")), write.number("at", 0, MAX_SIZE));
            }
            if (request.has("size")) {
                resize(channel, request.number("size", 0, MAX_SIZE));
            }
            channel.force(false);
        }
        if (fresh) {
            Durable.syncFolder(file.getParent());
        }
        return Map.of();
    }

    public Map<String, Object> replace(Fields request) throws IOException, BridgeException {
        replace(request.text("file"), request.bytes("data"));
        return Map.of();
    }

    public void replace(String name, byte[] content) throws IOException, BridgeException {
        Path file = path(name);
        Files.createDirectories(file.getParent());
        Durable.replace(file, content);
    }

    public Map<String, Object> remove(Fields request) throws IOException, BridgeException {
        Path file = path(request.text("file"));
        if (Files.deleteIfExists(file)) {
            Durable.syncFolder(file.getParent());
        }
        return Map.of();
    }

    /** Whether a name is that of the descriptor. */
    public boolean isDescriptor(String name) {
        return name.equals(disk + ".json");
    }

    private static void resize(FileChannel channel, long size) throws IOException {
        if (channel.size() > size) {
            channel.truncate(size);
        } else if (channel.size() < size) {
            channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
        }
    }

    private FileChannel open(Fields request) throws IOException, BridgeException {
        Path file = path(request.text("file"));
        try {
            return FileChannel.open(file, StandardOpenOption.READ);
        } catch (NoSuchFileException error) {
            throw noSuchFile(file);
        }
    }

    /** Ranges of pages that are not all zeros. Java can't ask a file system where holes are, so they are read. */
    private static List<List<Long>> data(FileChannel channel) throws IOException {
        List<List<Long>> found = new ArrayList<>();
        long start = -1;
        long size = channel.size();
        for (long at = 0; at < size; at += MAX_BYTES) {
            byte[] piece = Durable.read(channel, at, MAX_BYTES);
            for (int page = 0; page < piece.length; page += PAGE) {
                boolean holds = holds(piece, page, Math.min(piece.length, page + PAGE));
                if (holds && start < 0) {
                    start = at + page;
                } else if (!holds && start >= 0) {
                    found.add(List.of(start, at + page));
                    start = -1;
                }
            }
        }
        if (start >= 0) {
            found.add(List.of(start, size));
        }
        return found;
    }

    private static boolean holds(byte[] piece, int start, int end) {
        for (int i = start; i < end; i++) {
            if (piece[i] != 0) {
                return true;
            }
        }
        return false;
    }

    private Path path(String name) throws BridgeException {
        Path path = isOurs(name) ? folder.resolve(name) : null;
        if (path == null || Files.isSymbolicLink(path) || Files.isSymbolicLink(path.getParent())
                || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            throw notAllowed(name);
        }
        return path;
    }

    private boolean isOurs(String name) {
        if (name.startsWith(QUARANTINE + "/")) {
            return QUARANTINED.matcher(name.substring(QUARANTINE.length() + 1)).matches();
        }
        String whole = name.endsWith(".new") ? name.substring(0, name.length() - ".new".length()) : name;
        return SUFFIXES.stream().anyMatch(suffix -> whole.equals(disk + suffix));
    }

    private static BridgeException notAllowed(String name) {
        return new BridgeException(ErrorCode.NOT_ALLOWED, "'" + name + "' is no file of this disk");
    }

    private static BridgeException noSuchFile(Path file) {
        return new BridgeException(ErrorCode.NO_SUCH_FILE, "there is no " + file.getFileName());
    }
}
