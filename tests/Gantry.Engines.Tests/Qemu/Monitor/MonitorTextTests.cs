using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Tests.Qemu.Monitor;

public sealed class MonitorTextTests
{
    [Theory]
    [InlineData("portb[0x0064] = 0x1c\r\n", (byte)0x1c)]
    [InlineData("portb[0x0064] = 0x1d", (byte)0x1d)]
    public void Port_WhatQemuPrints_IsRead(string text, byte expected) => Assert.Equal(expected, MonitorText.Port(text));

    [Theory]
    [InlineData("unknown command: 'i'\r\n")]
    [InlineData("")]
    public void Port_Other_IsNull(string text) => Assert.Null(MonitorText.Port(text));

    [Fact]
    public void Memory_SeveralLines_GivesNumbersWithoutAddresses() =>
        Assert.Equal(
            [0x07200720u, 0x1fu, 0xffffffffu],
            MonitorText.Memory("00000000000b8000: 0x07200720 0x0000001f\r\n00000000000b8008: 0xffffffff\r\n"));

    [Fact]
    public void Memory_Refusal_IsEmpty() => Assert.Empty(MonitorText.Memory("Cannot access memory\r\n"));

    [Fact]
    public void Cr0_Registers_IsRead() =>
        Assert.Equal(0x80050033u, MonitorText.Cr0("RAX=0000\r\nCR0=80050033 CR2=00000000 CR3=02a10000\r\n"));
}
