package bbd.companion.server;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A Minecraft server, as the core needs it. One implementation for each kind of server, as thin as can be: it decides
 * nothing.
 *
 * <p>It calls {@link bbd.companion.Companion#tick} once a tick on the main thread,
 * {@link bbd.companion.Companion#edits} for every change of a block that is not the core's own, and gives what people
 * type to {@link bbd.companion.Companion#commands}.
 *
 * <p>What an implementer must not do: block the main thread on anything of the core's, change rules or chunks of a world
 * beyond what it is asked to, or hide a failure. Any thread may call.
 */
public interface ServerAdapter {
    ServerInfo info();

    /** The folder of the world in which {@code bbd/} lies. */
    Path world();

    /** A dimension by name ({@code minecraft:overworld}); nothing where the server has none of that name. */
    Optional<WorldAdapter> dimension(String name);

    /** How many players are there. */
    int players();
}
