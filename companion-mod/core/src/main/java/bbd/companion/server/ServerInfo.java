package bbd.companion.server;

/**
 * What a server says of itself.
 *
 * @param name of the server's software
 * @param version of that software
 * @param minecraft version of the game, {@code 26.1.2}
 * @param protocol number of the game's protocol
 */
public record ServerInfo(String name, String version, String minecraft, int protocol) {}
