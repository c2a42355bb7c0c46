using System.Globalization;
using System.Numerics;

namespace Gantry.Hcl.Values;

/// <summary>
/// A number with 512 bits of precision in base 2, rounded to the nearest (ties to even), as go-cty keeps them:
/// whole numbers up to 2^512 are exact, and texts made from results agree with other implementations of HCL.
/// </summary>
public readonly struct HclNumber : IEquatable<HclNumber>, IComparable<HclNumber>
{
    private const int Precision = 512;

    // Beyond about 10^±6000 a number is a mistake or an attack: its text alone would be thousands of digits.
    private const int MaxMagnitudeBits = 20_000;
    private const int MaxDigits = 6_000;

    // Value = mantissa * 2^exponent. The mantissa is odd, or zero with exponent zero, so equality is by parts.
    private readonly BigInteger _mantissa;
    private readonly int _exponent;

    private HclNumber(BigInteger mantissa, int exponent) => (_mantissa, _exponent) = (mantissa, exponent);

    /// <summary>Zero.</summary>
    public static HclNumber Zero => default;

    /// <summary>-1, 0 or 1.</summary>
    public int Sign => _mantissa.Sign;

    /// <summary>Whether it has no fraction.</summary>
    public bool IsInteger => _exponent >= 0;

    /// <summary>Reads a decimal number with optional sign, fraction and exponent; no blanks, no digit groups.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out HclNumber number)
    {
        number = default;
        var unsigned = text.Length > 0 && text[0] is '-' or '+' ? text[1..] : text;
        var mark = unsigned.IndexOfAny('e', 'E');
        var exponent = 0;
        if (mark >= 0 && !int.TryParse(
            unsigned[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return false;
        var digits = mark < 0 ? unsigned : unsigned[..mark];
        var point = digits.IndexOf('.');
        var fraction = point < 0 ? default : digits[(point + 1)..];
        var whole = point < 0 ? digits : digits[..point];
        if (whole.IsEmpty || (point >= 0 && fraction.IsEmpty) || digits.Length > MaxDigits || Math.Abs((long)exponent) > MaxDigits)
            return false;
        var joined = string.Concat(whole, fraction);
        foreach (var c in joined)
        {
            if (!char.IsAsciiDigit(c))
                return false;
        }
        var value = BigInteger.Parse(joined, NumberStyles.None, CultureInfo.InvariantCulture);
        if (text[0] == '-')
            value = -value;
        return TryScale(value, exponent - fraction.Length, out number);
    }

    /// <summary>The number nearest to a floating-point one, by its shortest decimal text; not NaN or infinity.</summary>
    public static HclNumber FromDouble(double value) =>
        double.IsFinite(value) && TryParse(value.ToString("R", CultureInfo.InvariantCulture), out var number)
            ? number
            : throw new HclException("the result is not a finite number");

    /// <summary>A whole number, rounded to 512 bits.</summary>
    public static HclNumber FromInteger(BigInteger value) => Round(value, 0, inexact: false);

    /// <summary>A whole number.</summary>
    public static implicit operator HclNumber(long value) => FromInteger(value);

    /// <summary>Whether it is a whole number that a <see cref="long"/> can hold, and which.</summary>
    public bool TryToInt64(out long value)
    {
        value = 0;
        if (!IsInteger || _exponent > 64)
            return false;
        var whole = _mantissa << _exponent;
        if (whole < long.MinValue || whole > long.MaxValue)
            return false;
        value = (long)whole;
        return true;
    }

    /// <summary>Its whole part; a fraction is cut off towards zero.</summary>
    public BigInteger Truncate() =>
        _exponent >= 0 ? _mantissa << _exponent : BigInteger.Divide(_mantissa, BigInteger.One << -_exponent);

    /// <summary>The greatest whole number that is not greater.</summary>
    public HclNumber Floor()
    {
        var whole = Truncate();
        return FromInteger(!IsInteger && Sign < 0 ? whole - 1 : whole);
    }

    /// <summary>The least whole number that is not less.</summary>
    public HclNumber Ceiling() => -(-this).Floor();

    /// <summary>The floating-point number nearest to it.</summary>
    public double ToDouble() => double.Parse(ToString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>Without its sign.</summary>
    public HclNumber Abs() => new(BigInteger.Abs(_mantissa), _exponent);

    /// <summary>Negation.</summary>
    public static HclNumber operator -(HclNumber a) => new(-a._mantissa, a._exponent);

    /// <summary>Sum.</summary>
    public static HclNumber operator +(HclNumber a, HclNumber b)
    {
        if (a.Sign == 0)
            return b;
        if (b.Sign == 0)
            return a;
        var exponent = Math.Min(a._exponent, b._exponent);
        return Round(
            (a._mantissa << (a._exponent - exponent)) + (b._mantissa << (b._exponent - exponent)), exponent, false);
    }

    /// <summary>Difference.</summary>
    public static HclNumber operator -(HclNumber a, HclNumber b) => a + -b;

    /// <summary>Product.</summary>
    public static HclNumber operator *(HclNumber a, HclNumber b) =>
        Round(a._mantissa * b._mantissa, a._exponent + b._exponent, inexact: false);

    /// <summary>Quotient.</summary>
    /// <exception cref="HclException">The divisor is zero.</exception>
    public static HclNumber operator /(HclNumber a, HclNumber b)
    {
        if (b.Sign == 0)
            throw new HclException("division by zero");
        return Quotient(a._mantissa, b._mantissa, a._exponent - b._exponent);
    }

    /// <summary>Remainder of a division that cuts its quotient off towards zero; has the sign of the dividend.</summary>
    /// <exception cref="HclException">The divisor is zero.</exception>
    public static HclNumber operator %(HclNumber a, HclNumber b)
    {
        if (b.Sign == 0)
            throw new HclException("division by zero");
        var exponent = Math.Min(a._exponent, b._exponent);
        var rest = BigInteger.Remainder(
            a._mantissa << (a._exponent - exponent), b._mantissa << (b._exponent - exponent));
        return Round(rest, exponent, inexact: false);
    }

    /// <summary>Order by value.</summary>
    public int CompareTo(HclNumber other)
    {
        if (Sign != other.Sign)
            return Sign.CompareTo(other.Sign);
        var exponent = Math.Min(_exponent, other._exponent);
        return (_mantissa << (_exponent - exponent)).CompareTo(other._mantissa << (other._exponent - exponent));
    }

    /// <summary>Less.</summary>
    public static bool operator <(HclNumber a, HclNumber b) => a.CompareTo(b) < 0;

    /// <summary>Greater.</summary>
    public static bool operator >(HclNumber a, HclNumber b) => a.CompareTo(b) > 0;

    /// <summary>Less or equal.</summary>
    public static bool operator <=(HclNumber a, HclNumber b) => a.CompareTo(b) <= 0;

    /// <summary>Greater or equal.</summary>
    public static bool operator >=(HclNumber a, HclNumber b) => a.CompareTo(b) >= 0;

    /// <summary>Equality of value.</summary>
    public static bool operator ==(HclNumber a, HclNumber b) => a.Equals(b);

    /// <summary>Inequality of value.</summary>
    public static bool operator !=(HclNumber a, HclNumber b) => !a.Equals(b);

    /// <inheritdoc/>
    public bool Equals(HclNumber other) => _exponent == other._exponent && _mantissa == other._mantissa;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is HclNumber other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_mantissa, _exponent);

    /// <summary>The shortest decimal text that is read as the same number; never with an exponent.</summary>
    public override string ToString()
    {
        if (IsInteger && _mantissa.GetBitLength() + _exponent <= Precision)
            return (_mantissa << _exponent).ToString(CultureInfo.InvariantCulture);
        var low = 1;
        var high = 2 + (int)(Precision * 0.30103);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (IsReadAsSame(Digits(middle)))
                high = middle;
            else
                low = middle + 1;
        }
        var (digits, scale) = Digits(low);
        return Fixed(digits, scale);
    }

    /// <summary>With so many digits after the point, rounded to the nearest, ties to even.</summary>
    internal string ToFixed(int decimals)
    {
        var digits = RoundedQuotient(_exponent, decimals);
        return Fixed(digits, decimals, keepsZeros: true);
    }

    /// <summary>So many significant digits of the magnitude, and how many of them lie behind the point.</summary>
    internal (BigInteger Digits, int Scale) Digits(int count)
    {
        var magnitude = (int)Math.Floor(BigInteger.Log10(BigInteger.Abs(_mantissa)) + (_exponent * 0.3010299956639812)) + 1;
        var scale = count - magnitude;
        var digits = RoundedQuotient(_exponent, scale);
        // The estimate of the magnitude may be one off, and rounding may carry into a new digit.
        if (BigInteger.Abs(digits) >= BigInteger.Pow(10, count))
            digits = RoundedQuotient(_exponent, --scale);
        else if (BigInteger.Abs(digits) < BigInteger.Pow(10, count - 1))
            digits = RoundedQuotient(_exponent, ++scale);
        return (digits, scale);
    }

    // round(mantissa * 2^exponent * 10^scale)
    private BigInteger RoundedQuotient(int exponent, int scale)
    {
        var top = _mantissa;
        var bottom = BigInteger.One;
        if (exponent >= 0)
            top <<= exponent;
        else
            bottom <<= -exponent;
        if (scale >= 0)
            top *= BigInteger.Pow(10, scale);
        else
            bottom *= BigInteger.Pow(10, -scale);
        var quotient = BigInteger.DivRem(BigInteger.Abs(top), bottom, out var rest);
        var twice = rest * 2;
        if (twice > bottom || (twice == bottom && !quotient.IsEven))
            quotient += 1;
        return top.Sign < 0 ? -quotient : quotient;
    }

    private bool IsReadAsSame((BigInteger Digits, int Scale) text) =>
        TryScale(text.Digits, -text.Scale, out var same) && same.Equals(this);

    private static string Fixed(BigInteger digits, int scale, bool keepsZeros = false)
    {
        var sign = digits.Sign < 0 ? "-" : "";
        var text = BigInteger.Abs(digits).ToString(CultureInfo.InvariantCulture);
        if (scale <= 0)
            return sign + text + new string('0', -scale);
        text = text.PadLeft(scale + 1, '0');
        var fraction = keepsZeros ? text[^scale..] : text[^scale..].TrimEnd('0');
        return fraction.Length == 0 ? sign + text[..^scale] : $"{sign}{text[..^scale]}.{fraction}";
    }

    private static bool TryScale(BigInteger value, int exponent10, out HclNumber number)
    {
        number = default;
        if (value.IsZero)
            return true;
        if (Math.Abs((long)exponent10) > 2 * MaxDigits)
            return false;
        var power = BigInteger.Pow(10, Math.Abs(exponent10));
        var (mantissa, exponent) = exponent10 >= 0 ? Rounded(value * power, 0, false) : Divided(value, power, 0);
        if (Math.Abs(exponent) > MaxMagnitudeBits)
            return false;
        number = new HclNumber(mantissa, exponent);
        return true;
    }

    private static HclNumber Quotient(BigInteger top, BigInteger bottom, int exponent)
    {
        var (mantissa, rounded) = Divided(top, bottom, exponent);
        return Checked(mantissa, rounded);
    }

    // Two bits more than the precision, and whether anything is left, are enough to round rightly.
    private static (BigInteger Mantissa, int Exponent) Divided(BigInteger top, BigInteger bottom, int exponent)
    {
        if (top.IsZero)
            return (BigInteger.Zero, 0);
        var shift = (int)Math.Max(0, Precision + 2 + BitLength(bottom) - BitLength(top));
        var quotient = BigInteger.DivRem(top << shift, bottom, out var rest);
        return Rounded(quotient, exponent - shift, inexact: !rest.IsZero);
    }

    private static HclNumber Round(BigInteger mantissa, int exponent, bool inexact)
    {
        var (rounded, scaled) = Rounded(mantissa, exponent, inexact);
        return Checked(rounded, scaled);
    }

    private static HclNumber Checked(BigInteger mantissa, int exponent) =>
        Math.Abs(exponent) <= MaxMagnitudeBits
            ? new HclNumber(mantissa, exponent)
            : throw new HclException("the result is too large or too small for a number");

    private static long BitLength(BigInteger value) => BigInteger.Abs(value).GetBitLength();

    private static (BigInteger Mantissa, int Exponent) Rounded(BigInteger mantissa, int exponent, bool inexact)
    {
        if (mantissa.IsZero)
            return (BigInteger.Zero, 0);
        var magnitude = BigInteger.Abs(mantissa);
        var excess = (int)(magnitude.GetBitLength() - Precision);
        if (excess > 0)
        {
            var half = BigInteger.One << (excess - 1);
            var rest = magnitude & ((half << 1) - 1);
            magnitude >>= excess;
            exponent += excess;
            var order = rest.CompareTo(half);
            if (order > 0 || (order == 0 && (inexact || !magnitude.IsEven)))
                magnitude += 1;
        }
        var zeros = TrailingZeros(magnitude);
        magnitude >>= zeros;
        return (mantissa.Sign < 0 ? -magnitude : magnitude, exponent + zeros);
    }

    private static int TrailingZeros(BigInteger value)
    {
        var count = 0;
        foreach (var part in value.ToByteArray())
        {
            if (part != 0)
                return count + BitOperations.TrailingZeroCount((uint)part);
            count += 8;
        }
        return count;
    }
}
