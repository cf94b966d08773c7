package org.bukkit.block;

public enum BlockFace {
    NORTH, EAST, SOUTH, WEST, UP, DOWN;

    public BlockFace getOppositeFace() {
        return switch (this) {
            case NORTH -> SOUTH;
            case EAST -> WEST;
            case SOUTH -> NORTH;
            case WEST -> EAST;
            case UP -> DOWN;
            case DOWN -> UP;
        };
    }
}
