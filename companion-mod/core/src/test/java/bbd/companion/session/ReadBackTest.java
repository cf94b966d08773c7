package bbd.companion.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import bbd.companion.MemoryWorld;
import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What counts as saved. */
@Timeout(60)
class ReadBackTest {
    private static final ChunkPos AT = new ChunkPos(0, 0);
    @TempDir
    Path folder;
    private MemoryWorld world;
    private final List<String> asked = new ArrayList<>();
    private Path file;
    private byte[] whole;

    @BeforeEach
    void save() throws IOException {
        world = new MemoryWorld(folder);
        world.hold(AT, false);
        char[][] sections = new char[Column.SECTIONS][];
        sections[3] = new char[Column.BLOCKS];
        sections[3][7] = world.states().number(new BlockState("minecraft:stone"));
        world.put(AT, 1 << 3, sections);
        world.save(Set.of(AT));
        file = folder.resolve("r.0.0.mca");
        whole = Files.readAllBytes(file);
    }

    /** The chunk's bytes are those of another one, as while a server moves chunks about. */
    private void damage() throws IOException {
        byte[] bytes = whole.clone();
        java.util.Arrays.fill(bytes, 8192 + 5, 8192 + 60, (byte) 0x55);
        Files.write(file, bytes);
        world.lying = true;
    }

    /** The world, and {@code before} the second time that its files are asked for. */
    private ReadBack readBack(Runnable before) {
        return new ReadBack((WorldAdapter) Proxy.newProxyInstance(WorldAdapter.class.getClassLoader(),
                new Class<?>[]{WorldAdapter.class}, (proxy, method, arguments) -> {
                    asked.add(method.getName());
                    if (method.getName().equals("files") && asked.stream().filter("files"::equals).count() == 2) {
                        before.run();
                    }
                    try {
                        return method.invoke(world, arguments);
                    } catch (InvocationTargetException error) {
                        throw error.getCause();
                    }
                }));
    }

    @Test
    void aChunkThatIsBeingWrittenIsReadAgain() throws IOException {
        damage();
        ReadBack readBack = readBack(() -> {
            try {
                Files.write(file, whole);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        });
        assertEquals(Set.of(AT), readBack.confirm(Map.of(AT, 1L)));
    }

    @Test
    void damageThatStaysIsAnError() throws IOException {
        damage();
        ReadBack readBack = readBack(() -> {});
        assertThrows(UnreadableChunk.class, () -> readBack.confirm(Map.of(AT, 1L)));
    }

    /** No answer comes before 32 columns, or the last ones, are asked for. */
    @Test
    void manyAreLookedAtBeforeAnyIsWaitedFor() throws IOException {
        Map<ChunkPos, Long> many = IntStream.range(0, 40).boxed()
                .collect(Collectors.toMap(x -> new ChunkPos(x, 1), x -> 1L));
        many.keySet().forEach(at -> world.hold(at, false));
        List<CompletableFuture<Optional<Column>>> waiting = new ArrayList<>();
        WorldAdapter slow = (WorldAdapter) Proxy.newProxyInstance(WorldAdapter.class.getClassLoader(),
                new Class<?>[]{WorldAdapter.class}, (proxy, method, arguments) -> {
                    if (!method.getName().equals("look")) {
                        return method.invoke(world, arguments);
                    }
                    asked.add("look");
                    waiting.add(new CompletableFuture<>());
                    CompletableFuture<Optional<Column>> answer = waiting.getLast();
                    if (asked.size() == 32 || asked.size() == many.size()) {
                        waiting.forEach(one -> one.complete(Optional.of(Column.empty())));
                    }
                    return answer;
                });
        assertEquals(many.keySet(), new ReadBack(slow).confirm(many));
        assertEquals(many.size(), asked.size());
    }
}
