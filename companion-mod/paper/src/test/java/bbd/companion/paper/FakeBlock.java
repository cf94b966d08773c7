package bbd.companion.paper;

import org.bukkit.World;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.block.BlockState;
import org.bukkit.block.data.BlockData;

record FakeBlock(FakeWorld world, int x, int y, int z) implements Block {
    /** A block as it was or will be. */
    record State(int getX, int getY, int getZ, BlockData getBlockData) implements BlockState {}

    State state(String data) {
        return new State(x, y, z, FakeData.of(data));
    }

    @Override
    public World getWorld() {
        return world;
    }

    @Override
    public int getX() {
        return x;
    }

    @Override
    public int getY() {
        return y;
    }

    @Override
    public int getZ() {
        return z;
    }

    @Override
    public BlockData getBlockData() {
        return FakeData.of(world.get(x, y, z));
    }

    @Override
    public void setBlockData(BlockData data, boolean applyPhysics) {
        world.place(this, data.getAsString(), applyPhysics);
    }

    @Override
    public Block getRelative(BlockFace face) {
        return switch (face) {
            case NORTH -> new FakeBlock(world, x, y, z - 1);
            case SOUTH -> new FakeBlock(world, x, y, z + 1);
            case WEST -> new FakeBlock(world, x - 1, y, z);
            case EAST -> new FakeBlock(world, x + 1, y, z);
            case UP -> new FakeBlock(world, x, y + 1, z);
            case DOWN -> new FakeBlock(world, x, y - 1, z);
        };
    }

    @Override
    public boolean isLiquid() {
        return world.get(x, y, z).startsWith("minecraft:water");
    }
}
